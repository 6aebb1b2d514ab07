import { UNKNOWN } from '../money/format';
import { texts, useText } from '../text/text';
import css from './Tag.module.css';

export const SIDE_TEXT = texts({ BUY: 'Buy', SELL: 'Sell' }, { BUY: '매수', SELL: '매도' });

export type Tone = 'plain' | 'working' | 'good' | 'warn' | 'bad' | 'muted';

const TONES: Record<string, Tone> = {
  OPEN: 'plain',
  CLOSING: 'working',
  CLOSED: 'muted',
  NEW: 'working',
  PENDING_APPROVAL: 'warn',
  SENDING: 'working',
  SUBMITTED: 'working',
  PARTIAL: 'working',
  FILLED: 'good',
  CANCELLED: 'muted',
  CANCELLED_PARTIAL: 'muted',
  REJECTED: 'bad',
  ERROR: 'bad',
  UNKNOWN: 'bad',
  ENTERED: 'good',
  BLOCKED: 'warn',
  WATCH: 'working',
  READY: 'good',
  COOLDOWN: 'plain',
  EXPIRED: 'muted',
  DONE: 'good',
  FAILED: 'bad',
  RUNNING: 'working',
  SKIPPED: 'muted',
  ACTIVE: 'good',
  DRAFT: 'working',
  ARCHIVED: 'muted',
  ASKED: 'working',
  ORDERED: 'good',
  REFUSED: 'bad',
  WITHDRAWN: 'muted',
  CRITICAL: 'bad',
  WARNING: 'warn',
  INFO: 'plain',
  DEBUG: 'muted',
  ok: 'good',
  degraded: 'warn',
  down: 'bad',
  off: 'muted',
};

/** A short word with a tone. Without one the tone follows the word where it is a state of the engine. */
export function Tag({ children, tone, title }: { children: string | null | undefined; tone?: Tone; title?: string }) {
  if (children == null || children === '') return <>{UNKNOWN}</>;
  const shown = tone ?? TONES[children] ?? 'plain';
  return (
    <span className={`${css.tag} ${css[shown]}`} title={title}>
      {children.replaceAll('_', ' ')}
    </span>
  );
}

/** Whether it is bought or sold. No gain and no loss, so without their colours. */
export function Side({ side }: { side: string }) {
  const text = useText(SIDE_TEXT);
  return (
    <span className={css.side} data-side={side}>
      {side === 'BUY' ? text.BUY : text.SELL}
    </span>
  );
}
