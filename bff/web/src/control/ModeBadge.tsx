'use client';

import { useEffect, useState } from 'react';

import { zControl } from '../api/generated/zod.gen';
import { useRead } from '../api/hooks';
import { MODE_EVENT } from '../shell/Shortcuts';
import { texts, useText } from '../text/text';
import { ModeDialog } from './ModeDialog';
import { CONTROL_PATH, CONTROL_TABLES, MODE_TEXT, modeOf } from './modes';
import css from './control.module.css';

const TEXT = texts(
  { label: (mode: string) => `Exits: ${mode}. Change` },
  { label: (mode: string) => `청산: ${mode}. 변경` },
);

/** The mode of the exit engine on every page; opens what changes it. */
export function ModeBadge() {
  const text = useText(TEXT);
  const modes = useText(MODE_TEXT);
  const [isOpen, setOpen] = useState(false);
  const { data } = useRead(CONTROL_PATH, zControl, { tables: CONTROL_TABLES });
  useEffect(() => {
    const open = () => setOpen(true);
    window.addEventListener(MODE_EVENT, open);
    return () => window.removeEventListener(MODE_EVENT, open);
  }, []);
  const mode = modeOf(data?.effective_mode ?? data?.mode);
  if (data === undefined || mode === null) return null;
  return (
    <>
      <button
        type="button"
        className={css.badge}
        data-mode={mode}
        data-testid="mode"
        aria-label={text.label(modes[mode])}
        onClick={() => setOpen(true)}
      >
        {modes[mode]}
      </button>
      <ModeDialog control={data} isOpen={isOpen} onClose={() => setOpen(false)} />
    </>
  );
}
