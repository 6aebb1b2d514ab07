import { useText } from '../text/text';
import { GATE_TEXT, gatesOf, type Candidate, type Gate, type GateState } from './gates';
import css from './Gates.module.css';

const MARKS: Record<GateState, string> = { passed: '✓', waiting: '…', blocked: '✕', ahead: '' };

function useNames(): { short: (gate: Gate) => string; long: Record<Gate | GateState, string> } {
  const text = useText(GATE_TEXT);
  return {
    short: (gate) => (gate === 'TRIGGER' || gate === 'CONTROL' || gate === 'BROKER' ? text[`${gate}_short`] : gate),
    long: text,
  };
}

/** All gates of a candidate in a line. */
export function GateStrip({ candidate }: { candidate: Candidate }) {
  const { short, long } = useNames();
  const stands = gatesOf(candidate);
  const label = stands.filter(({ state }) => state !== 'ahead').map(({ gate, state }) => `${gate} ${long[state]}`).join(', ');
  return (
    <span className={css.strip} role="img" aria-label={label}>
      {stands.map(({ gate, state }) => (
        <span key={gate} className={css.gate} data-state={state} title={`${gate}: ${long[gate]} – ${long[state]}`}>
          {short(gate)}
        </span>
      ))}
    </span>
  );
}

/** The gates one below the other, with what each asks, and why one refuses. */
export function GateList({ candidate }: { candidate: Candidate }) {
  const { long } = useNames();
  return (
    <ol className={css.list} data-testid="gates">
      {gatesOf(candidate).map(({ gate, state }) => (
        <li key={gate} data-gate={gate} data-state={state}>
          <span className={css.mark} aria-hidden="true">
            {MARKS[state]}
          </span>
          <span className={css.code}>{gate === 'TRIGGER' || gate === 'CONTROL' || gate === 'BROKER' ? '' : gate}</span>
          <span>{long[gate]}</span>
          <span className={css.state}>{long[state]}</span>
          {state === 'blocked' && candidate.blocked_reason != null && <span className={css.reason}>{candidate.blocked_reason}</span>}
        </li>
      ))}
    </ol>
  );
}
