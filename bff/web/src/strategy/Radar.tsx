'use client';

import { useText } from '../text/text';
import { FACTOR_TEXT, FACTORS, formatScore, type FactorName } from './names';
import css from './Radar.module.css';

const SIZE = 260;
const CENTRE = SIZE / 2;
const REACH = 86;
const RINGS = [-0.5, 0, 0.5, 1];

export type FactorValues = Readonly<Partial<Record<FactorName, number | null | undefined>>>;

/** Where the value −1 to 1 of the factor at `place` lies: −1 in the centre. */
function pointOf(place: number, value: number): readonly [number, number] {
  const angle = (place / FACTORS.length) * 2 * Math.PI - Math.PI / 2;
  const radius = ((value + 1) / 2) * REACH;
  return [CENTRE + radius * Math.cos(angle), CENTRE + radius * Math.sin(angle)];
}

function shapeOf(valueOf: (place: number) => number): string {
  return FACTORS.map((_, place) => pointOf(place, valueOf(place)).map((at) => at.toFixed(1)).join(',')).join(' ');
}

/** The profile of a symbol: six factors around the centre, the middle ring is neutral. A missing one is hollow. */
export function Radar({ factors, label }: { factors: FactorValues; label: string }) {
  const names = useText(FACTOR_TEXT);
  const values = FACTORS.map((factor) => factors[factor] ?? null);
  const said = FACTORS.map((factor, place) => `${names[factor]} ${formatScore(values[place], 2)}`).join(', ');
  return (
    <svg viewBox={`-30 0 ${SIZE + 60} ${SIZE}`} className={css.radar} role="img" aria-label={`${label}: ${said}`}>
      {RINGS.map((ring) => (
        <polygon key={ring} points={shapeOf(() => ring)} className={ring === 0 ? css.neutral : css.ring} />
      ))}
      {FACTORS.map((factor, place) => {
        const [x, y] = pointOf(place, 1);
        return <line key={factor} x1={CENTRE} y1={CENTRE} x2={x} y2={y} className={css.ring} />;
      })}
      <polygon points={shapeOf((place) => values[place] ?? 0)} className={css.shape} />
      {FACTORS.map((factor, place) => {
        const value = values[place];
        const [x, y] = pointOf(place, value ?? 0);
        return <circle key={factor} cx={x} cy={y} r={3} className={value == null ? css.missing : css.point} />;
      })}
      {FACTORS.map((factor, place) => {
        const [x, y] = pointOf(place, 1.32);
        const anchor = Math.abs(x - CENTRE) < 2 ? 'middle' : x > CENTRE ? 'start' : 'end';
        return (
          <text key={factor} x={x} y={y + 4} textAnchor={anchor} className={css.name}>
            {names[factor]}
          </text>
        );
      })}
    </svg>
  );
}
