import { useState } from 'react';
import type { z } from 'zod';

import { useActor, useMay } from '../access/context';
import { zLimits } from '../api/generated/zod.gen';
import { useChange } from '../api/hooks';
import { unplaced } from '../orders/faults';
import { texts, useText } from '../text/text';
import { Ask } from '../ui/Dialog';
import { Input, Switch } from '../ui/form';
import { FaultNote } from '../ui/Panel';
import { REGIMES, REGIME_TEXT } from './reentry';
import { REASON_MAX, TEXT as PAGE_TEXT } from './text';
import css from './exits.module.css';

export type Limits = z.infer<typeof zLimits>;

export const LIMITS_PATH = '/api/v1/reentry/limits';

export const LIMIT_TEXT = texts(
  {
    entry_regimes: 'Regimes with entries',
    positions_max: 'Positions at most',
    exposure_max: 'Exposure at cost at most',
    exposure_max_pct: 'Exposure of the equity',
    daily_loss_max: 'Loss of the day at most',
    daily_loss_max_pct: 'Loss of the equity',
  },
  {
    entry_regimes: '진입 허용 국면',
    positions_max: '최대 포지션 수',
    exposure_max: '최대 익스포저 (원가)',
    exposure_max_pct: '자산 대비 익스포저',
    daily_loss_max: '일일 최대 손실',
    daily_loss_max_pct: '자산 대비 일일 손실',
  },
);

const TEXT = texts(
  {
    title: 'Limits of re-entries',
    about: (version: number) => `Made from version ${version}. An empty field is no limit.`,
    save: 'Save the limits',
    done: (version: number) => `Limits saved: version ${version}`,
    number: 'A number, or empty.',
    needed: 'Say why.',
    one: 'At least one regime.',
    positions: 'positions',
    won: 'KRW',
  },
  {
    title: '재진입 한도',
    about: (version: number) => `버전 ${version} 기준. 빈 칸은 한도 없음을 뜻합니다.`,
    save: '한도 저장',
    done: (version: number) => `한도 저장됨: 버전 ${version}`,
    number: '숫자를 입력하거나 비워 두세요.',
    needed: '사유를 입력하세요.',
    one: '국면을 하나 이상 선택하세요.',
    positions: '개',
    won: '원',
  },
);

export const FIGURES = ['positions_max', 'exposure_max', 'exposure_max_pct', 'daily_loss_max', 'daily_loss_max_pct'] as const;

type Figure = (typeof FIGURES)[number];
type Typed = Record<Figure, string>;

/** Returns the number that was typed, null for an empty field, undefined for what is no number. */
function numberOf(typed: string): number | null | undefined {
  const text = typed.replaceAll(',', '').trim();
  if (text === '') return null;
  return /^\d+(\.\d{1,4})?$/.test(text) ? Number(text) : undefined;
}

/** Changes the limits. The server refuses what was made from a version that is no longer the last. */
export function LimitsDialog({ limits, onClose }: { limits: Limits; onClose: () => void }) {
  const text = useText(TEXT);
  const page = useText(PAGE_TEXT);
  const names = useText(LIMIT_TEXT);
  const regimes = useText(REGIME_TEXT);
  const isAllowed = useMay('ADMIN');
  const [typed, setTyped] = useState<Typed>(() => Object.fromEntries(FIGURES.map((name) => [name, limits[name] == null ? '' : String(limits[name])])) as Typed);
  const [allowed, setAllowed] = useState<readonly string[]>(limits.entry_regimes);
  const [reason, setReason] = useState('');
  const actor = useActor('updated_by');
  const change = useChange('PUT', LIMITS_PATH, zLimits, { isQuiet: true, rereads: [LIMITS_PATH], done: (row) => text.done(row.version) });
  const values = Object.fromEntries(FIGURES.map((name) => [name, numberOf(typed[name])])) as Record<Figure, number | null | undefined>;
  const isReady = isAllowed && allowed.length > 0 && reason.trim() !== '' && FIGURES.every((name) => values[name] !== undefined);
  const confirm = async () => {
    const row = await change.send({ ...actor, ...values, entry_regimes: allowed, version: limits.version, reason: reason.trim() });
    if (row !== null) onClose();
  };
  const { fault } = change;
  const faultOf = (name: string) => fault?.fields[name];
  const unitOf = (name: Figure) => (name === 'positions_max' ? text.positions : name.endsWith('pct') ? '%' : text.won);
  const note = unplaced(fault, [...FIGURES, 'entry_regimes', 'reason']);
  return (
    <Ask
      title={text.title}
      about={text.about(limits.version)}
      action={text.save}
      isOpen
      isBusy={change.isSending}
      isReady={isReady}
      onClose={onClose}
      onConfirm={() => void confirm()}
    >
      {note !== null && <FaultNote fault={note} />}
      <fieldset className={css.regimes}>
        <legend>{names.entry_regimes}</legend>
        {REGIMES.map((regime) => (
          <Switch
            key={regime}
            label={regimes[regime]}
            isOn={allowed.includes(regime)}
            isDisabled={!isAllowed}
            onChange={(isOn) => setAllowed(REGIMES.filter((one) => (one === regime ? isOn : allowed.includes(one))))}
          />
        ))}
      </fieldset>
      {(allowed.length === 0 || faultOf('entry_regimes') !== undefined) && (
        <p role="alert" className={css.fault}>
          {faultOf('entry_regimes') ?? text.one}
        </p>
      )}
      <div className={css.pair}>
        {FIGURES.map((name) => (
          <Input
            key={name}
            label={names[name]}
            unit={unitOf(name)}
            inputMode="decimal"
            value={typed[name]}
            fault={faultOf(name) ?? (values[name] === undefined ? text.number : null)}
            onChange={(event) => setTyped((before) => ({ ...before, [name]: event.target.value }))}
          />
        ))}
      </div>
      <Input label={page.reason} hint={text.needed} fault={faultOf('reason')} value={reason} maxLength={REASON_MAX} onChange={(event) => setReason(event.target.value)} />
    </Ask>
  );
}
