import { StocksPage } from '../../src/stocks/StocksPage';

export default function Page() {
  return <StocksPage />;
}
