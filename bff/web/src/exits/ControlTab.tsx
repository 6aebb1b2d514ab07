import { useState, type ReactNode } from 'react';

import { zLimits } from '../api/generated/zod.gen';
import { useRead } from '../api/hooks';
import { unitsOf } from '../money/decimal';
import { formatPrice, formatQty, formatWon } from '../money/format';
import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { Time } from '../ui/figures';
import { Facts, Split } from '../ui/layout';
import { Panel } from '../ui/Panel';
import { Tag } from '../ui/Tag';
import { LIMIT_TEXT, LIMITS_PATH, LimitsDialog, type Limits } from './LimitsDialog';
import { ReentryModeDialog } from './ModeDialog';
import { MODES, MODE_TEXT, REGIME_TEXT, regimeInForce, REGIMES, useReentryControl, useRegime } from './reentry';
import { RegimeDialog } from './RegimeDialog';
import { TEXT as PAGE_TEXT } from './text';
import css from './exits.module.css';

const TEXT = texts(
  {
    mode: 'Mode of re-entries',
    regime: 'Market regime',
    limits: 'Limits',
    inForce: 'In force',
    operator: 'set by the operator',
    producer: 'said by a producer',
    nobody: 'assumed: nobody has said anything for 5 minutes',
    set: 'Set by hand',
    said: 'Producer',
    saidAt: 'Said at',
    none: 'none',
    noLimit: 'no limit',
    version: 'Version',
    equity: 'Equity',
    equityAt: 'Equity as of',
    reason: 'Reason',
    gates: 'Gates G0, G3 and G4 ask for these. The limits of risk hold besides; the stricter counts.',
    positions: (count: string) => `${count} positions`,
  },
  {
    mode: '재진입 모드',
    regime: '시장 국면',
    limits: '한도',
    inForce: '적용 중',
    operator: '운영자 설정',
    producer: '생산자 판단',
    nobody: '가정값: 5분간 판단 없음',
    set: '수동 설정',
    said: '생산자',
    saidAt: '판단 시각',
    none: '없음',
    noLimit: '한도 없음',
    version: '버전',
    equity: '자산',
    equityAt: '자산 기준 시각',
    reason: '사유',
    gates: '게이트 G0, G3, G4가 사용합니다. 리스크 한도도 함께 적용되며 더 엄격한 쪽이 우선합니다.',
    positions: (count: string) => `${count}개`,
  },
);

function limitFacts(limits: Limits, text: { noLimit: string; positions: (count: string) => string }, names: Record<string, string>): (readonly [string, ReactNode])[] {
  const won = (value: number | null | undefined) => (value == null ? text.noLimit : formatWon(unitsOf(value)));
  const percent = (value: number | null | undefined) => (value == null ? text.noLimit : `${formatPrice(unitsOf(value))} %`);
  return [
    [names.positions_max ?? '', limits.positions_max == null ? text.noLimit : text.positions(formatQty(limits.positions_max))],
    [names.exposure_max ?? '', won(limits.exposure_max)],
    [names.exposure_max_pct ?? '', percent(limits.exposure_max_pct)],
    [names.daily_loss_max ?? '', won(limits.daily_loss_max)],
    [names.daily_loss_max_pct ?? '', percent(limits.daily_loss_max_pct)],
  ];
}

/** What re-entries may do at all: their mode, the regime, and their limits. */
export function ControlTab() {
  const text = useText(TEXT);
  const page = useText(PAGE_TEXT);
  const modes = useText(MODE_TEXT);
  const regimes = useText(REGIME_TEXT);
  const names = useText(LIMIT_TEXT);
  const control = useReentryControl();
  const regime = useRegime();
  const limits = useRead(LIMITS_PATH, zLimits, { tables: ['trade.reentry_limits', 'trade.account_equity'] });
  const [open, setOpen] = useState<'mode' | 'regime' | 'limits' | null>(null);
  const close = () => setOpen(null);
  const mode = MODES.find((one) => one === control.data?.mode);
  const inForce = regime.data === undefined ? null : regimeInForce(regime.data, Date.now());
  const nameOf = (code: string | null | undefined) => (code == null ? text.none : regimes[REGIMES.find((one) => one === code) ?? 'RISK_OFF']);
  return (
    <>
      <Split columns="1fr 1fr">
        <Panel
          title={text.mode}
          isLoading={control.isLoading}
          fault={control.fault}
          onRetry={control.retry}
          actions={
            <Button size="small" needs="TRADER" disabled={control.data === undefined} onClick={() => setOpen('mode')} data-testid="change-mode">
              {page.change}
            </Button>
          }
        >
          {control.data !== undefined && (
            <>
              <p className={css.about}>{mode === undefined ? control.data.mode : modes[`${mode}_effect`]}</p>
              <Facts
                facts={[
                  [
                    text.inForce,
                    <span key="mode" data-testid="reentry-mode">
                      <Tag tone={mode === 'RUNNING' ? 'good' : 'warn'}>{mode === undefined ? control.data.mode : modes[mode]}</Tag>
                    </span>,
                  ],
                  [page.by, control.data.updated_by],
                  [page.since, <Time key="since" at={control.data.updated_ts} />],
                  [text.reason, control.data.reason ?? '–'],
                ]}
              />
            </>
          )}
        </Panel>
        <Panel
          title={text.regime}
          isLoading={regime.isLoading}
          fault={regime.fault}
          onRetry={regime.retry}
          actions={
            <Button size="small" needs="TRADER" disabled={regime.data === undefined} onClick={() => setOpen('regime')} data-testid="change-regime">
              {page.change}
            </Button>
          }
        >
          {regime.data !== undefined && inForce !== null && (
            <>
              <p className={css.about}>{text[inForce.by]}</p>
              <Facts
                facts={[
                  [
                    text.inForce,
                    <span key="regime" data-testid="regime">
                      <Tag tone={inForce.by === 'nobody' ? 'warn' : 'plain'}>{nameOf(inForce.regime)}</Tag>
                    </span>,
                  ],
                  [text.set, nameOf(regime.data.regime)],
                  [page.until, <Time key="until" at={regime.data.until_ts} />],
                  [page.by, regime.data.updated_by],
                  [text.said, `${nameOf(regime.data.snapshot)} ${regime.data.snapshot_source ?? ''}`],
                  [text.saidAt, <Time key="said" at={regime.data.snapshot_asof} />],
                ]}
              />
            </>
          )}
        </Panel>
      </Split>
      <Panel
        title={text.limits}
        isLoading={limits.isLoading}
        fault={limits.fault}
        onRetry={limits.retry}
        actions={
          <Button size="small" needs="ADMIN" disabled={limits.data === undefined} onClick={() => setOpen('limits')} data-testid="change-limits">
            {page.change}
          </Button>
        }
      >
        {limits.data !== undefined && (
          <div data-testid="limits">
            <p className={css.about}>{text.gates}</p>
            <p className={css.allowed}>
              <span className={css.muted}>{names.entry_regimes}</span>
              {limits.data.entry_regimes.map((regime) => (
                <Tag key={regime}>{nameOf(regime)}</Tag>
              ))}
            </p>
            <Facts
              facts={[
                ...limitFacts(limits.data, text, names),
                [text.equity, formatWon(unitsOf(limits.data.equity))],
                [text.equityAt, <Time key="equity" at={limits.data.equity_asof} />],
                [text.version, limits.data.version],
                [page.by, limits.data.updated_by],
                [page.since, <Time key="since" at={limits.data.updated_ts} />],
                [text.reason, limits.data.reason ?? '–'],
              ]}
            />
          </div>
        )}
      </Panel>
      {open === 'mode' && control.data !== undefined && <ReentryModeDialog control={control.data} onClose={close} />}
      {open === 'regime' && regime.data !== undefined && <RegimeDialog now={regime.data} onClose={close} />}
      {open === 'limits' && limits.data !== undefined && <LimitsDialog limits={limits.data} onClose={close} />}
    </>
  );
}
