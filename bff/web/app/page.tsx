import { DeskPage } from '../src/desk/DeskPage';

export default function Page() {
  return <DeskPage />;
}
