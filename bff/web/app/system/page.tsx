import { SystemPage } from '../../src/system/SystemPage';

export default function Page() {
  return <SystemPage />;
}
