import { levelOf } from './risk';
import css from './risk.module.css';

interface UsageBarProps {
  label: string;
  /** Percent of the limit. */
  usage: number | null;
  /** Where the limit stands on the bar, percent of its width; without it at its end. */
  limitAt?: number;
}

/** How much of a limit is used, in the colour of its level, with the marks at which the level changes. */
export function UsageBar({ label, usage, limitAt }: UsageBarProps) {
  const width = Math.max(0, Math.min(100, ((usage ?? 0) * (limitAt ?? 100)) / 100));
  return (
    <div
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.max(0, Math.min(100, usage ?? 0))}
      aria-valuetext={usage === null ? undefined : `${usage.toFixed(1)} %`}
      className={css.bar}
    >
      <span className={css.fill} data-level={usage === null ? undefined : levelOf(usage)} style={{ width: `${width}%` }} />
      {limitAt === undefined ? (
        [70, 85, 95].map((mark) => <i key={mark} className={css.mark} style={{ left: `${mark}%` }} />)
      ) : (
        <i className={css.limit} style={{ left: `${limitAt}%` }} />
      )}
    </div>
  );
}
