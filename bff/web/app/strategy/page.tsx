import { StrategyPage } from '../../src/strategy/StrategyPage';

export default function Page() {
  return <StrategyPage />;
}
