import { useMemo } from 'react';

import { zControl } from '../api/generated/zod.gen';
import { useRead, type Read } from '../api/hooks';
import { CONTROL_PATH, CONTROL_TABLES, modeOf } from '../control/modes';
import { usePrice } from '../live/provider';
import { useText } from '../text/text';
import { Time } from '../ui/figures';
import { Panel } from '../ui/Panel';
import { Closing } from './Closing';
import { offIn, rulesOf, zProfile } from './profile';
import type { ExitEvent, Levels, Position, Signals, Withheld } from './reads';
import { verdictsOf, type Order } from './verdicts';
import { VerdictRow } from './VerdictRow';
import { WHY_TEXT } from './whyText';
import css from './why.module.css';

interface WhyPanelProps {
  position: Position;
  levels: Read<Levels>;
  orders: readonly Order[];
  signals: Signals | undefined;
  withheld: readonly Withheld[];
  exit: ExitEvent | undefined;
}

function Warning({ position }: { position: Position }) {
  const text = useText(WHY_TEXT);
  const isStale = usePrice(position.symbol)?.isStale === true;
  const said = position.exit_mode === 'DISABLED' ? text.DISABLED : position.exit_mode === 'MANUAL_ONLY' ? text.MANUAL_ONLY : isStale ? text.staleNow : null;
  if (said === null) return null;
  return (
    <p role="status" className={css.warning}>
      {said}
    </p>
  );
}

/** Every rule of the position, how far it is from firing, and why it does not: the answer to "why did it not sell?". */
export function WhyPanel({ position, levels, orders, signals, withheld, exit }: WhyPanelProps) {
  const text = useText(WHY_TEXT);
  const { data: control } = useRead(CONTROL_PATH, zControl, { tables: CONTROL_TABLES });
  const mode = modeOf(control?.effective_mode ?? control?.mode);
  const isClosed = position.status === 'CLOSED';
  const told = levels.data;
  const profile = useMemo(() => zProfile.safeParse(told?.profile?.rules).data ?? {}, [told?.profile?.rules]);
  const rules = useMemo(() => rulesOf(profile), [profile]);
  const verdicts = verdictsOf({
    rules,
    profile,
    levels: told?.levels ?? [],
    orders,
    phase: position.phase,
    mode,
    qty: position.qty,
    originalQty: position.original_qty,
    average: position.avg_price,
    hwm: told?.hwm,
  });
  const off = offIn(rules);
  const empty = !isClosed && told !== undefined && verdicts.length === 0 ? text.none : null;
  if (isClosed) {
    return (
      <Panel title={text.title} isFlush>
        <Closing orders={orders} exit={exit} />
      </Panel>
    );
  }
  return (
    <Panel
      title={text.title}
      isFlush
      isLoading={levels.isLoading}
      fault={levels.fault}
      onRetry={levels.retry}
      empty={empty}
      {...(signals?.evaluated_ts == null
        ? {}
        : {
            actions: (
              <span className={css.sampled}>
                {text.checked} <Time at={signals.evaluated_ts} />
              </span>
            ),
          })}
    >
      <Warning position={position} />
      <div role="table" aria-label={text.title} className={css.table} data-testid="why">
        <div role="rowgroup">
          <div role="row" className={`${css.row} ${css.head}`}>
            <span role="columnheader">{text.rule}</span>
            <span role="columnheader">{text.level}</span>
            <span role="columnheader">{text.away}</span>
            <span role="columnheader">{text.won}</span>
          </div>
        </div>
        <div role="rowgroup">
          {verdicts.map((verdict) => {
            const isOwn = (row: { reason: string; rule_id?: string | null | undefined }) =>
              row.reason === verdict.reason && (row.rule_id ?? null) === verdict.ruleId;
            return (
              <VerdictRow
                key={verdict.key}
                position={position}
                verdict={verdict}
                withheld={withheld.find(isOwn)}
                sampled={signals?.rules.find(isOwn)?.distance}
              />
            );
          })}
        </div>
      </div>
      {off.length > 0 && <p className={css.off}>{text.off(off.map((name) => name.replaceAll('_', ' ')).join(', '))}</p>}
    </Panel>
  );
}
