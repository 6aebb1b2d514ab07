import { texts, useText } from '../text/text';
import { Panel } from '../ui/Panel';
import type { Remark } from './advice';
import { ChangeList } from './ChangeList';
import { differences } from './diff';
import type { Changes, Draft, ExitRule } from './draft';
import css from './effect.module.css';
import { PreviewResult } from './PreviewResult';
import type { Preview } from './usePreview';
import { REMARK_TEXT, SECTION_TEXT } from './words';

const TEXT = texts(
  {
    preview: 'If it were saved now',
    same: 'Change something, and the engine says here which positions would sell at once.',
    flawed: 'The engine is asked once everything is filled in and nothing is marked.',
    idle: 'It would not be in force today, so it sells nothing.',
    changes: 'Changes',
    none: 'As it is stored.',
    new: 'A new rule: nothing is stored of it yet.',
    against: (name: string) => `A new rule. Against ${name}, which serves in its place until it is saved:`,
    alike: (name: string) => `A new rule. As yet it says what ${name} says, which serves in its place until it is saved.`,
    remarks: 'Worth a look',
  },
  {
    preview: '지금 저장하면',
    same: '값을 바꾸면 즉시 매도될 포지션을 엔진이 여기에 알려 줍니다.',
    flawed: '빈 항목과 표시된 항목을 채우면 엔진에 확인합니다.',
    idle: '오늘은 적용되지 않으므로 아무것도 매도하지 않습니다.',
    changes: '변경 사항',
    none: '저장된 값 그대로입니다.',
    new: '아직 저장되지 않은 새 규칙입니다.',
    against: (name: string) => `새 규칙입니다. 저장 전까지 적용되는 ${name} 규칙과 다른 점:`,
    alike: (name: string) => `새 규칙입니다. 저장 전까지 적용되는 ${name} 규칙과 아직 같습니다.`,
    remarks: '확인할 점',
  },
);

/** Remarks that do not name their section themselves. */
const SPOKEN_OF: readonly Remark['kind'][] = ['noEffect', 'takeProfitOrder'];

interface EffectProps {
  draft: Draft;
  /** What is said instead of the answer. */
  state: 'same' | 'flawed' | 'idle' | 'asked';
  preview: Preview;
  changes: Changes;
  /** The rule that a new one would stand in for. */
  replaced: ExitRule | null;
  isNew: boolean;
  remarks: readonly Remark[];
  /** Whom it falls to where it no longer serves. */
  fallback: string | null;
  names: ReadonlyMap<string, string>;
}

/** What a draft would do: sales at once, differences, and what was hardly meant. */
export function Effect({ draft, state, preview, changes, replaced, isNew, remarks, fallback, names }: EffectProps) {
  const text = useText(TEXT);
  const remarkTexts = useText(REMARK_TEXT);
  const sections = useText(SECTION_TEXT);
  const against = replaced === null ? [] : differences(replaced.rules, draft.rules);
  return (
    <>
      <Panel title={text.preview}>
        {state === 'asked' ? <PreviewResult preview={preview} names={names} /> : <p className={css.note}>{text[state]}</p>}
        {fallback !== null && <p className={css.note}>{fallback}</p>}
      </Panel>
      <Panel title={text.changes} count={isNew ? null : changes.count}>
        {isNew ? (
          <>
            <p className={css.note}>{replaced === null ? text.new : against.length === 0 ? text.alike(replaced.name) : text.against(replaced.name)}</p>
            {against.length > 0 && <ChangeList changes={{ head: [], rules: against }} />}
          </>
        ) : changes.count === 0 ? (
          <p className={css.note}>{text.none}</p>
        ) : (
          <ChangeList changes={changes} />
        )}
      </Panel>
      {remarks.length > 0 && (
        <Panel title={text.remarks} count={remarks.length}>
          <ul className={css.remarks}>
            {remarks.map(({ kind, section }) => (
              <li key={`${kind}.${section}`}>
                {section !== null && SPOKEN_OF.includes(kind) && <b>{sections[section]}: </b>}
                {remarkTexts[kind]}
              </li>
            ))}
          </ul>
        </Panel>
      )}
    </>
  );
}
