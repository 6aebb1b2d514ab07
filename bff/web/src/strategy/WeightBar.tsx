import { Ratio } from '../ui/figures';
import css from './WeightBar.module.css';

/** A weight with its bar, beside the heaviest one. */
export function WeightBar({ weight, most }: { weight: number; most: number }) {
  return (
    <span className={css.weight}>
      <span className={css.track} aria-hidden="true">
        <i style={{ width: `${Math.min(100, (weight / most) * 100)}%` }} />
      </span>
      <Ratio value={weight} />
    </span>
  );
}
