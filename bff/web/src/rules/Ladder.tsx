import { useLayoutEffect, useRef, useState } from 'react';

import type { z } from 'zod';

import type { zPositionView } from '../api/generated/zod.gen';
import { usePrice } from '../live/provider';
import { evaluationPrice, unrealised } from '../money/pnl';
import { formatBasisPoints } from '../money/format';
import { texts, useText } from '../text/text';
import css from './ladder.module.css';
import { marksOf, placed, scaleOf, shareText, type Scale } from './marks';
import { shown } from './numbers';
import type { Rules } from './schema';

const TEXT = texts(
  {
    label: 'Returns at which the rule sells',
    live: (count: number) => `${count} live position${count === 1 ? '' : 's'} it serves, by return now`,
    none: 'Serves no live position now',
    before: 'as stored',
  },
  {
    label: '규칙이 매도하는 수익률',
    live: (count: number) => `적용 중인 보유 포지션 ${count}개 (현재 수익률)`,
    none: '지금 적용되는 보유 포지션 없음',
    before: '저장된 값',
  },
);

export type LivePosition = z.infer<typeof zPositionView>;

const MARGIN = 26;
const LABEL_WIDTH = 58;
const ROW = 28;

/** A position on the scale, by its return at the price of the moment. */
function Dot({ position, scale, y }: { position: LivePosition; scale: Scale; y: number }) {
  const live = usePrice(position.symbol);
  const price = live === undefined ? evaluationPrice(position.last_price, position.bid) : evaluationPrice(live.price, live.bid);
  const points = unrealised(position.qty, position.avg_price, price)?.returnBasisPoints ?? null;
  if (points === null) return null;
  const x = scale.x(Number(points) / 10_000);
  return (
    <g className={points < 0n ? css.loss : css.gain} data-live>
      <title>{`${position.name} ${formatBasisPoints(points)}`}</title>
      <path d={`M ${x} ${y + 3} l 4.5 8 h -9 z`} className={css.dot} />
    </g>
  );
}

interface LadderProps {
  rules: Rules;
  /** As they are stored, drawn faintly where they differ; null for a new rule. */
  stored: Rules | null;
  positions: readonly LivePosition[];
}

/** The rule as a scale of returns: what sells where and how much, and where the positions stand now. */
export function Ladder({ rules, stored, positions }: LadderProps) {
  const text = useText(TEXT);
  const frame = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const node = frame.current;
    if (node === null) return;
    const observer = new ResizeObserver(() => setWidth(node.clientWidth));
    observer.observe(node);
    return () => observer.disconnect();
  }, []);
  const marks = marksOf(rules);
  const before = stored === null ? [] : marksOf(stored).filter(({ id, at }) => marks.find((mark) => mark.id === id)?.at !== at);
  const scale = scaleOf([...marks, ...before], width, MARGIN);
  const shownMarks = placed(marks, scale, LABEL_WIDTH);
  const rows = Math.max(1, ...shownMarks.map(({ row }) => row + 1));
  const y = rows * ROW + 8;
  const said = marks.map(({ label, at }) => `${label} ${shown(at, '%', true)}`).join(', ');
  return (
    <div ref={frame} className={css.ladder}>
      {width > 0 && (
        <svg width={width} height={y + 30} role="img" aria-label={`${text.label}: ${said}`}>
          {scale.ticks.map((tick) => (
            <g key={tick}>
              <line x1={scale.x(tick)} x2={scale.x(tick)} y1={y - 3} y2={y + 3} className={css.tick} />
              <text x={scale.x(tick)} y={y + 26} className={css.tickText}>
                {shown(Math.round(tick * 1_000) / 1_000, '%', true).replace(' ', '')}
              </text>
            </g>
          ))}
          <line x1={scale.x(scale.low)} x2={scale.x(0)} y1={y} y2={y} className={`${css.axis} ${css.loss}`} />
          <line x1={scale.x(0)} x2={scale.x(scale.high)} y1={y} y2={y} className={`${css.axis} ${css.gain}`} />
          <line x1={scale.x(0)} x2={scale.x(0)} y1={4} y2={y + 6} className={css.zero} />
          {before.map((mark) => (
            <line key={mark.id} x1={scale.x(mark.at)} x2={scale.x(mark.at)} y1={y - 16} y2={y + 5} className={css.before}>
              <title>{`${mark.label} ${shown(mark.at, '%', true)} ${text.before}`}</title>
            </line>
          ))}
          {shownMarks.map((mark) => {
            const top = y - (mark.row + 1) * ROW;
            return (
              <g key={mark.id} className={mark.side === 'loss' ? css.loss : css.gain}>
                {mark.range !== null && (
                  <line x1={scale.x(mark.range[0])} x2={scale.x(mark.range[1])} y1={y} y2={y} className={css.range} />
                )}
                <line x1={mark.x} x2={mark.x} y1={top + 24} y2={y + 4} className={css.stem} />
                <text x={mark.x} y={top + 10} className={css.name}>
                  {mark.label.slice(0, 9)} <tspan className={css.share}>{shareText(mark.share)}</tspan>
                </text>
                <text x={mark.x} y={top + 21} className={css.at}>
                  {shown(mark.at, '%', true).replace(' ', '')}
                </text>
              </g>
            );
          })}
          {positions.map((position) => (
            <Dot key={position.position_id} position={position} scale={scale} y={y} />
          ))}
        </svg>
      )}
      <p className={css.legend}>
        {positions.length > 0 && <span aria-hidden="true">▲ </span>}
        <span data-testid="serves">{positions.length > 0 ? text.live(positions.length) : text.none}</span>
      </p>
    </div>
  );
}
