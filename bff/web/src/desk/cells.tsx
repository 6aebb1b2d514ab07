import { formatTime } from '../feed/instant';
import { isLarge, UNKNOWN } from '../money/format';
import css from './cells.module.css';

/** A Korean name as given, with the code under which it trades. */
export function Stock({ name, symbol }: { name: string | null; symbol: string }) {
  return (
    <span className={css.stock}>
      <span lang="ko">{name ?? symbol}</span>
      {name !== null && <span className={css.code}>{symbol}</span>}
    </span>
  );
}

/** A Seoul time, with the full text of the server on demand. */
export function Time({ at }: { at: string | null }) {
  return at === null ? (
    UNKNOWN
  ) : (
    <time dateTime={at} title={at}>
      {formatTime(at, Date.now())}
    </time>
  );
}

interface SignedProps {
  /** Decides colour and arrow. */
  sign: bigint | null;
  text: string;
  /** Decides weight: large changes are bold. */
  basisPoints?: bigint | null;
  hasArrow?: boolean;
  title?: string;
}

/** A gain or loss: colour, sign and arrow say the same, so that none is needed alone. */
export function Signed({ sign, text, basisPoints = null, hasArrow = false, title }: SignedProps) {
  const tone = sign === null || sign === 0n ? css.flat : sign > 0n ? css.up : css.down;
  const arrow = sign === null || sign === 0n ? '' : sign > 0n ? '▲' : '▼';
  return (
    <span className={`${tone} ${isLarge(basisPoints) ? css.large : ''}`} title={title}>
      {hasArrow && arrow !== '' && (
        <span className={css.arrow} aria-hidden="true">
          {arrow}
        </span>
      )}
      {text}
    </span>
  );
}

export function Side({ side }: { side: string }) {
  return <span className={side === 'BUY' ? css.up : css.down}>{side}</span>;
}

const TONES: Record<string, string | undefined> = {
  OPEN: css.plain,
  CLOSING: css.working,
  NEW: css.working,
  PENDING_APPROVAL: css.working,
  SENDING: css.working,
  SUBMITTED: css.working,
  PARTIAL: css.working,
  FILLED: css.done,
  ENTERED: css.done,
  REJECTED: css.bad,
  ERROR: css.bad,
  UNKNOWN: css.bad,
  BLOCKED: css.bad,
  WATCH: css.working,
  COOLDOWN: css.plain,
};

export function Status({ status }: { status: string }) {
  return (
    <span className={`${css.status} ${TONES[status] ?? css.muted}`}>
      {status.replaceAll('_', ' ')}
    </span>
  );
}

/** A code of the engine: SL1, TP1_DONE. */
export function Code({ children }: { children: string | null }) {
  return children === null || children === '' ? UNKNOWN : <span>{children}</span>;
}
