import Link from 'next/link';
import { useEffect, useState } from 'react';

import { useMay } from '../access/context';
import { LevelBar } from '../desk/LevelBar';
import { useTopic } from '../live/provider';
import { useText } from '../text/text';
import { Button } from '../ui/Button';
import { Select } from '../ui/form';
import { Page } from '../ui/layout';
import { ChartPanel } from './ChartPanel';
import { ExecutionsPanel } from './ExecutionsPanel';
import { Header } from './Header';
import { OrdersPanel } from './OrdersPanel';
import css from './position.module.css';
import { useExecutionsOf, useExitOf, useLevels, useOrdersOf, useResolution, useSignals, useWithheld, type Position } from './reads';
import { RulePanel } from './RulePanel';
import { SellDialog } from './SellDialog';
import { POSITION_TEXT } from './text';
import { WhyPanel } from './WhyPanel';
import { WithheldPanel } from './WithheldPanel';

interface PositionViewProps {
  position: Position;
  onChoose: (id: string) => void;
}

/** Leads to another live position. */
function Other({ position, onChoose }: PositionViewProps) {
  const text = useText(POSITION_TEXT);
  const { rows } = useTopic('positions');
  const isListed = rows.some(({ position_id }) => position_id === position.position_id);
  const options = [...(isListed ? [] : [position]), ...rows].map((row) => ({ value: row.position_id, label: `${row.name} ${row.symbol}` }));
  return (
    <span className={css.other} lang="ko">
      <Select label={text.other} isInline value={position.position_id} options={options} onChange={(event) => onChoose(event.target.value)} />
    </span>
  );
}

/** One position with all that explains it. */
export function PositionView({ position, onChoose }: PositionViewProps) {
  const text = useText(POSITION_TEXT);
  const mayTrade = useMay('TRADER');
  const { position_id: id, status, exit_mode: exitMode } = position;
  const isClosed = status === 'CLOSED';
  const isForSale = !isClosed && exitMode !== 'DISABLED';
  const [isSelling, setSelling] = useState(false);
  const levels = useLevels(id, !isClosed);
  const resolution = useResolution(id, !isClosed);
  const signals = useSignals(id, !isClosed);
  const withheld = useWithheld(id, !isClosed);
  const orders = useOrdersOf(id);
  const executions = useExecutionsOf(id);
  const exit = useExitOf(id, isClosed).data;
  const isPressed = isForSale && mayTrade;
  useEffect(() => {
    if (!isPressed) return;
    const press = (event: KeyboardEvent) => {
      const target = event.target instanceof HTMLElement ? event.target : null;
      if (event.key !== 's' || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (target?.closest('input, textarea, select') != null || document.querySelector('[role=dialog]') !== null) return;
      event.preventDefault();
      setSelling(true);
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, [isPressed]);

  const orderRows = orders.data ?? [];
  const hwm = levels.data?.hwm ?? position.hwm;
  return (
    <Page
      title={`${position.name} ${position.symbol}`}
      actions={
        <>
          <Other position={position} onChoose={onChoose} />
          <Link className={css.link} href={`/stocks/?symbol=${position.symbol}`}>
            {text.stockPage}
          </Link>
          {!isClosed && (
            <Button
              kind="danger"
              needs="TRADER"
              disabled={!isForSale}
              title={isForSale ? text.sellKey : text.notForSale}
              data-testid="sell"
              onClick={() => setSelling(true)}
            >
              {text.sell}
            </Button>
          )}
        </>
      }
    >
      <Header position={position} hwm={hwm} exit={exit} />
      {!isClosed && (levels.data?.levels.length ?? 0) > 0 && (
        <div className={css.bar} data-live>
          <LevelBar symbol={position.symbol} levels={levels.data?.levels ?? []} average={position.avg_price} mark={hwm} />
        </div>
      )}
      <div className={css.columns}>
        <div className={css.column}>
          <div className={css.first}>
            <ChartPanel position={position} levels={levels.data} orders={orderRows} executions={executions.data ?? []} exit={exit} />
          </div>
          <OrdersPanel orders={orders} />
          <ExecutionsPanel executions={executions} orders={orderRows} />
        </div>
        <div className={css.column}>
          <div className={css.second}>
            <WhyPanel position={position} levels={levels} orders={orderRows} signals={signals.data} withheld={withheld.data ?? []} exit={exit} />
          </div>
          <RulePanel position={position} levels={levels.data} resolution={resolution} />
          <WithheldPanel withheld={withheld} />
        </div>
      </div>
      {isSelling && <SellDialog position={position} onClose={() => setSelling(false)} />}
    </Page>
  );
}
