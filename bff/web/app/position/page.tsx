import { PositionPage } from '../../src/position/PositionPage';

export default function Page() {
  return <PositionPage />;
}
