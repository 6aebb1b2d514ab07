import { formatTime } from '../live/instant';
import { unitsOf } from '../money/decimal';
import { basisPointsOfPercent, formatBasisPoints, formatPrice, formatSignedWon } from '../money/format';
import { REASON_TEXT, worded } from '../orders/reasons';
import { useText } from '../text/text';
import { Tag } from '../ui/Tag';
import type { ExitEvent } from './reads';
import type { Order } from './verdicts';
import { WHY_TEXT } from './whyText';
import css from './why.module.css';

/** Reasons that wait for no price. */
const UNJUDGED = ['MANUAL', 'FLATTEN', 'TIME'];

/** Why a closed position was closed. */
export function Closing({ orders, exit }: { orders: readonly Order[]; exit: ExitEvent | undefined }) {
  const text = useText(WHY_TEXT);
  const reasons = useText(REASON_TEXT);
  if (exit === undefined) return <p className={css.closing}>{text.closed}</p>;
  const reason = exit.exit_reason_code;
  const order = orders.find((one) => one.side === 'SELL' && one.reason_code === reason && one.filled_qty > 0);
  const isJudged = order !== undefined && !UNJUDGED.includes(reason);
  const percent = formatBasisPoints(basisPointsOfPercent(exit.realized_pnl_pct));
  return (
    <div className={css.closing} data-testid="closing">
      <p>
        <Tag tone="plain">{reason}</Tag> {worded(reasons, reason)}
      </p>
      <p>{text.closedBy(reason.replaceAll('_', ' '), formatTime(exit.exit_ts, Date.now()))}</p>
      {isJudged && (
        <p>
          {text.judged(
            formatPrice(unitsOf(order.price)),
            order.price <= order.level ? text.under : text.over,
            formatPrice(unitsOf(order.level)),
          )}
        </p>
      )}
      <p>{text.brought(formatSignedWon(unitsOf(exit.realized_pnl)), percent)}</p>
    </div>
  );
}
