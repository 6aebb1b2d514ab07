import { RiskPage } from '../../src/risk/RiskPage';

export default function Page() {
  return <RiskPage />;
}
