import { texts, useText } from '../text/text';
import { Tag } from '../ui/Tag';
import { Countdown } from './Countdown';
import type { Candidate } from './gates';
import css from './exits.module.css';

const TEXT = texts({ asked: 'Ending asked' }, { asked: '만료 요청됨' });

/** How a candidate stands; the cooldown counts down. */
export function CandidateState({ candidate, isAsked }: { candidate: Candidate; isAsked: boolean }) {
  const text = useText(TEXT);
  const { state, cooldown_until: until } = candidate;
  return (
    <span className={css.state}>
      {isAsked ? <Tag tone="working">{text.asked}</Tag> : <Tag>{state}</Tag>}
      {state === 'COOLDOWN' && until != null && <Countdown until={until} />}
    </span>
  );
}
