import { useMemo, useState } from 'react';

import type { Interval } from '../chart/bars';
import { CandleChart } from '../chart/CandleChart';
import { usePreferences } from '../shell/preferences';
import { useText } from '../text/text';
import { Choice } from '../ui/form';
import { Panel } from '../ui/Panel';
import { linesOf, marksOf } from './drawn';
import type { Execution, ExitEvent, Levels, Position } from './reads';
import { POSITION_TEXT } from './text';
import type { Order } from './verdicts';

interface ChartPanelProps {
  position: Position;
  levels: Levels | undefined;
  orders: readonly Order[];
  executions: readonly Execution[];
  exit: ExitEvent | undefined;
}

/** Candles and volume with everything of the position drawn: entry, cost, levels, high-water mark, fills, exit. */
export function ChartPanel({ position, levels, orders, executions, exit }: ChartPanelProps) {
  const text = useText(POSITION_TEXT);
  const { language } = usePreferences();
  const [interval, setBars] = useState<Interval>('minute');
  const [scale, setScale] = useState<'fitted' | 'close'>('fitted');
  // Rows are read anew every few seconds: the chart is drawn anew where they say something else.
  const lineKey = JSON.stringify([position.avg_price, levels?.hwm, levels?.levels.map((level) => [level.reason, level.rule_id, level.level])]);
  const lines = useMemo(() => linesOf(position, levels, text), [position.position_id, lineKey, language]);
  const markKey = JSON.stringify([position.entry_ts, executions.map(({ fill_id }) => fill_id), orders.length, exit?.exit_event_id]);
  const marks = useMemo(
    () => marksOf(position, executions, orders, exit, text),
    [position.position_id, markKey, language],
  );
  return (
    <Panel
      title={text.chart}
      isFlush
      actions={
        <>
          <Choice
            label={text.scale}
            at={scale}
            onChange={setScale}
            options={[
              { value: 'fitted', label: text.fitted },
              { value: 'close', label: text.close },
            ]}
          />
          <Choice
            label={text.interval}
            at={interval}
            onChange={setBars}
            options={[
              { value: 'minute', label: text.minute },
              { value: 'day', label: text.day },
            ]}
          />
        </>
      }
    >
      <CandleChart symbol={position.symbol} interval={interval} lines={lines} marks={marks} isFitted={scale === 'fitted'} height={440} />
    </Panel>
  );
}
