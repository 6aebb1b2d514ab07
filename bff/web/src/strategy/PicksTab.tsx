'use client';

import { Split } from '../ui/layout';
import { Decisions } from './Decisions';
import { PickRuns } from './PickRuns';

/** What other programs propose to buy, and what was decided on each. */
export function PicksTab() {
  return (
    <Split columns="minmax(0, 0.8fr) minmax(0, 1.8fr)">
      <PickRuns />
      <Decisions />
    </Split>
  );
}
