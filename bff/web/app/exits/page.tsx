import { ExitsPage } from '../../src/exits/ExitsPage';

export default function Page() {
  return <ExitsPage />;
}
