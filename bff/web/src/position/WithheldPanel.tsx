import type { Pages } from '../api/hooks';
import { unitsOf } from '../money/decimal';
import { formatPrice } from '../money/format';
import { useText } from '../text/text';
import { Button } from '../ui/Button';
import { Time } from '../ui/figures';
import { Panel } from '../ui/Panel';
import type { Withheld } from './reads';
import { WHY_TEXT, withheldWhy } from './whyText';
import css from './why.module.css';

/** Rules that were reached and sold nothing, and what kept them from it. */
export function WithheldPanel({ withheld }: { withheld: Pages<Withheld> }) {
  const text = useText(WHY_TEXT);
  const rows = withheld.data ?? [];
  return (
    <Panel
      title={text.withheld}
      count={rows.length === 0 ? null : rows.length}
      isFlush
      isLoading={withheld.isLoading}
      fault={withheld.fault}
      onRetry={withheld.retry}
      empty={rows.length === 0 ? text.noWithheld : null}
    >
      <ul className={css.hits} data-testid="withheld">
        {rows.map((row) => (
          <li key={`${row.logical_us} ${row.reason} ${row.rule_id ?? ''} ${row.why}`}>
            <span className={css.hit}>
              <b>{row.rule_id ?? row.reason.replaceAll('_', ' ')}</b>
              <span>{text.priceAt(formatPrice(unitsOf(row.price)), formatPrice(unitsOf(row.level)))}</span>
              <Time at={row.ts} />
            </span>
            <span className={css.withheld}>{withheldWhy(text, row.why)}</span>
          </li>
        ))}
      </ul>
      {withheld.hasMore && (
        <Button className={css.more} kind="quiet" isBusy={withheld.isLoadingMore} onClick={withheld.more}>
          {text.earlier}
        </Button>
      )}
    </Panel>
  );
}
