import { Desk } from '../src/desk/Desk';

export default function Page() {
  return <Desk />;
}
