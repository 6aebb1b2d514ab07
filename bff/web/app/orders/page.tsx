import { OrdersPage } from '../../src/orders/OrdersPage';

export default function Page() {
  return <OrdersPage />;
}
