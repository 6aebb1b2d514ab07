import { useState } from 'react';

import { useActor, useMay } from '../access/context';
import { zRegimeNow } from '../api/generated/zod.gen';
import { useChange } from '../api/hooks';
import { unplaced } from '../orders/faults';
import { texts, useText } from '../text/text';
import { Ask } from '../ui/Dialog';
import { Choice, Input } from '../ui/form';
import { FaultNote } from '../ui/Panel';
import { REGIME_PATH, REGIMES, REGIME_TEXT, type Regime, type RegimeNow } from './reentry';
import { REASON_MAX, TEXT as PAGE_TEXT } from './text';
import { localOf, UntilInput, untilOf } from './UntilInput';

const TEXT = texts(
  {
    title: 'Market regime',
    about: 'What you set counts instead of what producers say, for every candidate.',
    auto: 'Producers decide',
    set: (regime: string) => `Set ${regime}`,
    lift: 'Let producers decide',
    done: 'The regime is set',
  },
  {
    title: '시장 국면',
    about: '설정한 국면이 모든 후보에 대해 생산자의 판단 대신 적용됩니다.',
    auto: '자동 판단',
    set: (regime: string) => `${regime} 적용`,
    lift: '자동 판단으로 전환',
    done: '시장 국면을 설정했습니다',
  },
);

/** Sets the regime by hand, or leaves it to producers again. */
export function RegimeDialog({ now, onClose }: { now: RegimeNow; onClose: () => void }) {
  const text = useText(TEXT);
  const page = useText(PAGE_TEXT);
  const regimes = useText(REGIME_TEXT);
  const isAllowed = useMay('TRADER');
  const [target, setTarget] = useState<Regime | 'auto'>(REGIMES.find((regime) => regime === now.regime) ?? 'auto');
  const [until, setUntil] = useState(localOf(now.until_ts));
  const [reason, setReason] = useState('');
  const actor = useActor('updated_by');
  const change = useChange('PUT', REGIME_PATH, zRegimeNow, {
    isQuiet: true,
    rereads: [REGIME_PATH],
    done: () => text.done,
  });
  const isSet = target !== 'auto';
  const confirm = async () => {
    const end = isSet ? untilOf(until) : null;
    const said = reason.trim();
    const row = await change.send({ ...actor, regime: isSet ? target : null, ...(end === null ? {} : { until_ts: end }), ...(said === '' ? {} : { reason: said }) });
    if (row !== null) onClose();
  };
  const { fault } = change;
  const note = unplaced(fault, ['until_ts', 'reason']);
  return (
    <Ask
      title={text.title}
      about={text.about}
      action={isSet ? text.set(regimes[target]) : text.lift}
      isOpen
      isBusy={change.isSending}
      isReady={isAllowed}
      onClose={onClose}
      onConfirm={() => void confirm()}
    >
      {note !== null && <FaultNote fault={note} />}
      <Choice
        label={text.title}
        at={target}
        options={[{ value: 'auto' as const, label: text.auto }, ...REGIMES.map((value) => ({ value, label: regimes[value] }))]}
        onChange={setTarget}
      />
      {isSet && <UntilInput value={until} fault={fault?.fields.until_ts} onChange={setUntil} />}
      <Input label={page.reason} hint={page.said} fault={fault?.fields.reason} value={reason} maxLength={REASON_MAX} onChange={(event) => setReason(event.target.value)} />
    </Ask>
  );
}
