import { DataPage } from '../../src/data/DataPage';

export default function Page() {
  return <DataPage />;
}
