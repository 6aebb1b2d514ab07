import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { Time } from '../ui/figures';
import { ChangeList } from './ChangeList';
import { changesOf, draftOf, type Draft, type ExitRule } from './draft';
import css from './editor.module.css';
import { rebased } from './rebase';

const TEXT = texts(
  {
    title: (by: string, version: number) => `${by} saved version ${version} while you were writing.`,
    reason: 'Reason',
    theirs: 'What they changed',
    mine: 'What yours changes of it',
    take: 'Take theirs, drop mine',
    keep: 'Put mine on theirs',
    said: 'Nothing is saved until you have looked at it.',
  },
  {
    title: (by: string, version: number) => `작성하는 동안 ${by} 님이 버전 ${version}을 저장했습니다.`,
    reason: '사유',
    theirs: '상대의 변경 사항',
    mine: '내 수정이 바꾸는 내용',
    take: '상대 것을 받고 내 수정 버리기',
    keep: '상대 것 위에 내 수정 얹기',
    said: '확인하기 전에는 아무것도 저장되지 않습니다.',
  },
);

interface ConflictProps {
  draft: Draft;
  stored: ExitRule;
  onTake: () => void;
  onKeep: () => void;
}

/** Somebody else has saved the rule meanwhile: theirs, beside one's own, and the choice between both. */
export function Conflict({ draft, stored, onTake, onKeep }: ConflictProps) {
  const text = useText(TEXT);
  const theirs = draft.base === null ? null : changesOf(draftOf(stored), draft.base);
  return (
    <div role="alert" className={css.conflict} data-testid="conflict">
      <p>
        <b>{text.title(stored.updated_by ?? stored.created_by, stored.version)}</b> <Time at={stored.updated_ts} />
        {stored.reason != null && (
          <>
            {' · '}
            {text.reason}: {stored.reason}
          </>
        )}
      </p>
      <div className={css.sides}>
        {theirs !== null && (
          <div>
            <h3>{text.theirs}</h3>
            <ChangeList changes={theirs} />
          </div>
        )}
        <div>
          <h3>{text.mine}</h3>
          <ChangeList changes={changesOf(rebased(draft, stored), stored)} />
        </div>
      </div>
      <div className={css.choices}>
        <span>{text.said}</span>
        <Button onClick={onTake} data-testid="take-theirs">
          {text.take}
        </Button>
        <Button kind="primary" onClick={onKeep} data-testid="keep-mine">
          {text.keep}
        </Button>
      </div>
    </div>
  );
}
