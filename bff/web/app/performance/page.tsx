import { PerformancePage } from '../../src/performance/PerformancePage';

export default function Page() {
  return <PerformancePage />;
}
