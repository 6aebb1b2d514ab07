'use client';

import { HealthStrip } from '../shell/HealthStrip';
import { NAV_TEXT } from '../shell/nav';
import { useText } from '../text/text';
import { Page, Split } from '../ui/layout';
import { ControlPanel } from './ControlPanel';
import { Decisions } from './Decisions';
import { PositionsTable } from './PositionsTable';
import { Totals } from './Totals';
import css from './DeskPage.module.css';

/** The day at a glance: positions between their levels, the mode, what was decided. */
export function DeskPage() {
  const text = useText(NAV_TEXT);
  return (
    <Page title={text.desk}>
      <Totals />
      <Split columns="minmax(0, 1fr) 330px">
        <PositionsTable />
        <div className={css.side}>
          <ControlPanel />
          <Decisions />
        </div>
      </Split>
      <div className={css.health}>
        <HealthStrip />
      </div>
    </Page>
  );
}
