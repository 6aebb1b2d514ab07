import { useState } from 'react';

import type { Fault } from '../api/request';
import { texts, useText } from '../text/text';
import { Ask } from '../ui/Dialog';
import { Input, Switch } from '../ui/form';
import { FaultNote } from '../ui/Panel';
import { ChangeList } from './ChangeList';
import { TEXT_MAX, type Changes } from './draft';
import css from './editor.module.css';
import { PreviewResult } from './PreviewResult';
import type { Preview } from './usePreview';

const TEXT = texts(
  {
    title: (name: string) => `Save ${name}`,
    about: 'The engine judges by it from the moment it is saved.',
    reason: 'Reason',
    hint: 'Kept with the version',
    save: 'Save',
    sell: (count: number) => `Save and let ${count} position${count === 1 ? '' : 's'} sell`,
    unseen: 'Save without the engine’s answer',
    idle: 'It is not in force today: nothing is sold by it.',
  },
  {
    title: (name: string) => `${name} 저장`,
    about: '저장하는 즉시 엔진이 이 규칙으로 판단합니다.',
    reason: '사유',
    hint: '버전 기록에 남습니다',
    save: '저장',
    sell: (count: number) => `저장하고 포지션 ${count}개 매도`,
    unseen: '엔진 응답 없이 저장',
    idle: '오늘은 적용되지 않으므로 매도되지 않습니다.',
  },
);

interface SaveDialogProps {
  name: string;
  changes: Changes;
  isNew: boolean;
  /** Null where the rule would not be in force today. */
  preview: Preview | null;
  fallback: string | null;
  names: ReadonlyMap<string, string>;
  fault: Fault | null;
  isBusy: boolean;
  onSave: (reason: string) => void;
  onClose: () => void;
}

/** Asks before a rule is saved: what changes, which positions would sell at once, and why. */
export function SaveDialog({ name, changes, isNew, preview, fallback, names, fault, isBusy, onSave, onClose }: SaveDialogProps) {
  const text = useText(TEXT);
  const [reason, setReason] = useState('');
  const [isUnseen, setUnseen] = useState(false);
  const isSilent = preview !== null && preview.fault !== null;
  const count = preview?.answer?.count ?? 0;
  const isPreviewed = preview === null || preview.isCurrent || (isSilent && isUnseen);
  return (
    <Ask
      title={text.title(name)}
      about={text.about}
      isOpen
      onClose={onClose}
      action={count > 0 && preview?.isCurrent === true ? text.sell(count) : text.save}
      isDanger={count > 0}
      isBusy={isBusy}
      isReady={reason.trim() !== '' && isPreviewed}
      onConfirm={() => onSave(reason)}
    >
      {!isNew && (
        <div className={css.dialogChanges}>
          <ChangeList changes={changes} />
        </div>
      )}
      {preview === null ? <p className={css.said}>{text.idle}</p> : <PreviewResult preview={preview} names={names} />}
      {fallback !== null && <p className={css.said}>{fallback}</p>}
      {isSilent && <Switch label={text.unseen} isOn={isUnseen} onChange={setUnseen} />}
      <Input
        label={text.reason}
        hint={text.hint}
        fault={fault?.fields.reason}
        value={reason}
        maxLength={TEXT_MAX}
        required
        onChange={(event) => setReason(event.target.value)}
        data-testid="reason"
      />
      {fault !== null && <FaultNote fault={fault} />}
    </Ask>
  );
}
