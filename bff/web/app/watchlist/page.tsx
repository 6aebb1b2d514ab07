import { WatchlistPage } from '../../src/watchlist/WatchlistPage';

export default function Page() {
  return <WatchlistPage />;
}
