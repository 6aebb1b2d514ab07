import { Gate } from '../src/access/Gate';

export default function Page() {
  return <Gate />;
}
