'use client';

import { useState } from 'react';

import { useAdmission, useMay } from '../access/context';
import { zRiskLimits } from '../api/generated/zod.gen';
import { patch, useChange } from '../api/hooks';
import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { Ask } from '../ui/Dialog';
import { Area, Choice, Input } from '../ui/form';
import { FaultNote } from '../ui/Panel';
import { bodyOf, draftOf, faultsOf, isLooser, type Draft } from './draft';
import { CHECKS, FIELD, LIMITS_PATH, PROFILES, REASON_MAX, type Limits } from './risk';
import { RISK_TEXT } from './words';
import css from './risk.module.css';

const TEXT = texts(
  {
    title: 'Limits of the account',
    about: 'They take effect as soon as they are saved, for every entry that is judged from then on. What is held is not sold.',
    profile: 'Profile in force',
    most: (name: string) => `${name}, at most`,
    names: 'names',
    now: (value: string) => `in force: ${value}`,
    until: 'Until (Seoul time, optional)',
    untilHint: 'Empty: until others take their place',
    reason: 'Reason',
    said: 'Kept with the limits and in the audit',
    save: 'Put in force',
    done: 'Limits are in force.',
    whole: 'a whole number from 0',
    percent: 'a percentage above 0, up to 100',
    required: 'is required',
    past: 'must lie in the future',
    looser: 'Some limits are looser than those in force.',
    meanwhile: 'Somebody else has changed the limits meanwhile. Your figures are kept; take over the newest version to save them over it.',
    takeOver: (version: number) => `Take over version ${version}`,
  },
  {
    title: '계좌 한도',
    about: '저장 즉시 이후의 모든 진입 심사에 적용됩니다. 보유 종목은 매도되지 않습니다.',
    profile: '적용 프로필',
    most: (name: string) => `${name} 최대`,
    names: '종목',
    now: (value: string) => `현재: ${value}`,
    until: '종료 시각 (서울, 선택)',
    untilHint: '비우면 다음 변경까지 적용됩니다',
    reason: '사유',
    said: '한도와 감사 기록에 남습니다',
    save: '적용',
    done: '한도를 적용했습니다.',
    whole: '0 이상의 정수를 입력하세요',
    percent: '0 초과 100 이하의 비율을 입력하세요',
    required: '필수 항목입니다',
    past: '미래 시각이어야 합니다',
    looser: '현재보다 느슨해지는 한도가 있습니다.',
    meanwhile: '다른 사용자가 먼저 한도를 변경했습니다. 입력값은 유지되며, 최신 버전을 기준으로 다시 저장할 수 있습니다.',
    takeOver: (version: number) => `버전 ${version} 기준으로 변경`,
  },
);

/** Changes the limits of the account: as you type it says what cannot be, and what stands now. */
export function LimitsEditor({ limits, onClose }: { limits: Limits; onClose: () => void }) {
  const text = useText(TEXT);
  const words = useText(RISK_TEXT);
  const { session } = useAdmission();
  const isAllowed = useMay('ADMIN');
  const [draft, setDraft] = useState<Draft>(() => draftOf(limits));
  const [version, setVersion] = useState(limits.version);
  const [isTouched, setTouched] = useState(false);
  const change = useChange<ReturnType<typeof bodyOf>, Limits>('PUT', LIMITS_PATH, zRiskLimits, {
    settled: (row, _body, client) => patch<Limits>(client, LIMITS_PATH, () => row),
    rereads: [LIMITS_PATH],
    done: () => text.done,
    isQuiet: true,
  });
  const set = (part: Partial<Draft>) => {
    setTouched(true);
    setDraft((before) => ({ ...before, ...part }));
  };
  const faults = faultsOf(draft, Date.now());
  const isBehind = limits.version !== version;
  const isConflict = change.fault?.code === 'CONFLICT';
  const fieldFault = (field: keyof Draft): string | null => {
    const here = faults[field];
    if (isTouched && here !== undefined && (field !== 'reason' || draft.reason !== '')) return text[here];
    return change.fault?.fields[field] ?? null;
  };
  const confirm = async () => {
    const row = await change.send(bodyOf(draft, version, session?.name));
    if (row !== null) onClose();
  };
  return (
    <Ask
      title={text.title}
      about={text.about}
      isOpen
      onClose={onClose}
      action={text.save}
      isBusy={change.isSending}
      isReady={isAllowed && Object.keys(faults).length === 0 && !isBehind}
      onConfirm={() => void confirm()}
    >
      <div className={css.field}>
        <span>{text.profile}</span>
        <Choice
          label={text.profile}
          at={draft.profile}
          options={PROFILES.map((value) => ({ value, label: words[value] }))}
          onChange={(profile) => set({ profile })}
        />
      </div>
      <div className={css.editor}>
        {CHECKS.map((check) => {
          const field = FIELD[check];
          const inForce = limits.limits?.[field];
          return (
            <Input
              key={field}
              label={text.most(words[check])}
              unit={check === 'TOTAL_POSITIONS' ? text.names : '%'}
              inputMode="decimal"
              value={draft[field]}
              fault={fieldFault(field)}
              {...(inForce === undefined ? {} : { hint: text.now(String(inForce)) })}
              onChange={(event) => set({ [field]: event.target.value })}
            />
          );
        })}
      </div>
      <Input
        label={text.until}
        type="datetime-local"
        value={draft.active_to}
        hint={text.untilHint}
        fault={fieldFault('active_to')}
        onChange={(event) => set({ active_to: event.target.value })}
      />
      <Area
        label={text.reason}
        hint={text.said}
        rows={2}
        maxLength={REASON_MAX}
        value={draft.reason}
        fault={fieldFault('reason')}
        onChange={(event) => set({ reason: event.target.value })}
      />
      {isLooser(draft, limits.limits) && <p className={css.caution}>{text.looser}</p>}
      {isBehind && (
        <div className={css.conflict} role="alert" data-testid="limits-conflict">
          <p>{text.meanwhile}</p>
          <Button
            size="small"
            onClick={() => {
              setVersion(limits.version);
              change.reset();
            }}
          >
            {text.takeOver(limits.version)}
          </Button>
        </div>
      )}
      {change.fault !== null && !(isConflict && isBehind) && Object.keys(change.fault.fields).length === 0 && <FaultNote fault={change.fault} />}
    </Ask>
  );
}
