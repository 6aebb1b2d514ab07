'use client';

import { useState } from 'react';

import { useAdmission, useMay } from '../access/context';
import { patch, useChange } from '../api/hooks';
import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { Ask } from '../ui/Dialog';
import { Area, Input } from '../ui/form';
import { FaultNote } from '../ui/Panel';
import { CONFIG_PATH, LEVELS, REASON_MAX, typed, unitSign, untyped, zLimits, type LimitLevel, type Setting } from './settings';
import css from './system.module.css';

const TEXT = texts(
  {
    title: (key: string) => `Change ${key}`,
    warning: 'Warning beyond',
    critical: 'Critical beyond',
    hint: (now: string, fallback: string) => `in force: ${now} · default: ${fallback}`,
    defaults: 'Take the defaults',
    reason: 'Reason',
    said: 'Kept with the value and in the audit',
    save: 'Put in force',
    done: (key: string) => `${key} is in force.`,
    number: 'a number, such as 0.5',
    meanwhile: 'Somebody else has changed it meanwhile. Your figures are kept; take over the newest version to save them over it.',
    takeOver: (version: number) => `Take over version ${version}`,
  },
  {
    title: (key: string) => `${key} 변경`,
    warning: '경고 기준',
    critical: '심각 기준',
    hint: (now: string, fallback: string) => `현재: ${now} · 기본값: ${fallback}`,
    defaults: '기본값으로',
    reason: '사유',
    said: '값과 감사 기록에 남습니다',
    save: '적용',
    done: (key: string) => `${key} 설정을 적용했습니다.`,
    number: '숫자를 입력하세요. 예: 0.5',
    meanwhile: '다른 사용자가 먼저 변경했습니다. 입력값은 유지되며, 최신 버전을 기준으로 다시 저장할 수 있습니다.',
    takeOver: (version: number) => `버전 ${version} 기준으로 변경`,
  },
);

interface Sent {
  value: Record<string, number>;
  version: number;
  reason: string;
  updated_by?: string;
}

/** Changes the limits of one alarm, with a reason, from the version that was seen. */
export function SettingDialog({ setting, title, onClose }: { setting: Setting; title: string; onClose: () => void }) {
  const text = useText(TEXT);
  const { session } = useAdmission();
  const isAllowed = useMay('ADMIN');
  const levels = LEVELS.filter((level) => setting.default[level] !== undefined);
  const [draft, setDraft] = useState<Partial<Record<LimitLevel, string>>>(() =>
    Object.fromEntries(levels.map((level) => [level, typed(setting.value[level], setting.unit)])),
  );
  const [reason, setReason] = useState('');
  const [version, setVersion] = useState(setting.version);
  const change = useChange<Sent, Setting>('PUT', `${CONFIG_PATH}/${setting.key}`, zLimits, {
    settled: (row, _sent, client) => patch<Setting[]>(client, CONFIG_PATH, (before) => before.map((one) => (one.key === row.key ? row : one))),
    rereads: [CONFIG_PATH],
    done: (row) => text.done(row.key),
    isQuiet: true,
  });
  const values = levels.map((level) => [level, untyped(draft[level] ?? '', setting.unit)] as const);
  const isValid = values.every(([, value]) => value !== null) && reason.trim() !== '';
  const isBehind = setting.version !== version;
  const sign = unitSign(setting.unit);
  const said = (value: number | undefined) => `${typed(value, setting.unit)} ${sign}`.trim();
  const confirm = async () => {
    const sent: Sent = {
      value: Object.fromEntries(values.flatMap(([level, value]) => (value === null ? [] : [[level, value]]))),
      version,
      reason: reason.trim(),
      ...(session === null ? {} : { updated_by: session.name }),
    };
    if ((await change.send(sent)) !== null) onClose();
  };
  const fields = change.fault?.fields ?? {};
  return (
    <Ask
      title={text.title(setting.key)}
      about={title}
      isOpen
      onClose={onClose}
      action={text.save}
      isBusy={change.isSending}
      isReady={isAllowed && isValid && !isBehind}
      onConfirm={() => void confirm()}
    >
      {values.map(([level, value]) => (
        <Input
          key={level}
          label={text[level]}
          {...(sign === '' ? {} : { unit: sign })}
          inputMode="decimal"
          value={draft[level] ?? ''}
          hint={text.hint(said(setting.value[level]), said(setting.default[level]))}
          fault={value === null ? text.number : (fields[`value.${level}`] ?? fields.value)}
          onChange={(event) => {
            change.reset();
            setDraft((before) => ({ ...before, [level]: event.target.value }));
          }}
        />
      ))}
      <p>
        <Button size="small" onClick={() => setDraft(Object.fromEntries(levels.map((level) => [level, typed(setting.default[level], setting.unit)])))}>
          {text.defaults}
        </Button>
      </p>
      <Area
        label={text.reason}
        hint={text.said}
        rows={2}
        maxLength={REASON_MAX}
        value={reason}
        fault={fields.reason}
        onChange={(event) => setReason(event.target.value)}
      />
      {isBehind && (
        <div className={css.conflict} role="alert" data-testid="setting-conflict">
          <p>{text.meanwhile}</p>
          <Button
            size="small"
            onClick={() => {
              setVersion(setting.version);
              change.reset();
            }}
          >
            {text.takeOver(setting.version)}
          </Button>
        </div>
      )}
      {change.fault !== null && !isBehind && Object.keys(fields).length === 0 && <FaultNote fault={change.fault} />}
    </Ask>
  );
}
