import { useState } from 'react';

import { ModeDialog } from '../control/ModeDialog';
import { CONTROL_PATH, CONTROL_TABLES, MODE_TEXT, modeOf, type ExitControl, type Mode } from '../control/modes';
import { zControl } from '../api/generated/zod.gen';
import { useActor } from '../access/context';
import { patch, useChange, useRead } from '../api/hooks';
import { useText } from '../text/text';
import { Button } from '../ui/Button';
import { Time } from '../ui/figures';
import { Panel } from '../ui/Panel';
import { DESK_TEXT } from './text';
import css from './ControlPanel.module.css';

/** The mode of the exit engine: a pause at one press, everything else asks first. */
export function ControlPanel() {
  const text = useText(DESK_TEXT);
  const modes = useText(MODE_TEXT);
  const actor = useActor('updated_by');
  const [opened, setOpened] = useState<{ at: Mode | null } | null>(null);
  const control = useRead(CONTROL_PATH, zControl, { tables: CONTROL_TABLES });
  const change = useChange<{ mode: Mode; reason: string }, ExitControl>('POST', CONTROL_PATH, zControl, {
    expect: ({ mode, reason }, client) => patch<ExitControl>(client, CONTROL_PATH, (before) => ({ ...before, mode, effective_mode: mode, reason })),
    rereads: [CONTROL_PATH],
  });
  const mode = modeOf(control.data?.mode);
  const isPaused = mode !== null && mode !== 'RUNNING';
  return (
    <Panel title={text.control} fault={control.fault} onRetry={control.retry} isLoading={control.isLoading}>
      {control.data !== undefined && mode !== null && (
        <div className={css.control}>
          <p className={css.now} data-mode={mode} data-testid="control-state">
            <b>{modes[mode]}</b>
            <span>{modes[`${mode}_effect`]}</span>
          </p>
          <p className={css.who}>
            {control.data.reason != null && control.data.reason !== '' && <>“{control.data.reason}” · </>}
            {text.by(control.data.updated_by)} · <Time at={control.data.updated_ts} />
          </p>
          {(control.data.pauses ?? []).length > 0 && <p className={css.system}>{text.systemPause}</p>}
          <div className={css.buttons}>
            <Button
              kind={isPaused ? 'primary' : 'plain'}
              size="large"
              needs="TRADER"
              className={css.pause ?? ''}
              isBusy={change.isSending}
              data-testid="pause"
              onClick={() =>
                void change.send(
                  isPaused
                    ? { mode: 'RUNNING', reason: text.resumed, ...actor }
                    : { mode: 'PAUSE_ALL', reason: text.paused, ...actor },
                )
              }
            >
              {isPaused ? text.resume : text.pauseAll}
            </Button>
            <Button kind="danger" size="large" needs="TRADER" data-testid="flatten" onClick={() => setOpened({ at: 'EMERGENCY_FLATTEN' })}>
              {text.flatten}
            </Button>
          </div>
          <Button kind="quiet" size="small" needs="TRADER" onClick={() => setOpened({ at: null })}>
            {text.more}
          </Button>
          <ModeDialog
            key={opened?.at ?? 'any'}
            control={control.data}
            first={opened?.at ?? null}
            isOpen={opened !== null}
            onClose={() => setOpened(null)}
          />
        </div>
      )}
    </Panel>
  );
}
