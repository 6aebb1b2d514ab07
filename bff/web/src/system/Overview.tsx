'use client';

import { Split } from '../ui/layout';
import { FaultNote } from '../ui/Panel';
import { BrokerCalls } from './BrokerCalls';
import { useFigures } from './metrics';
import { Parts } from './Parts';
import { Pools } from './Pools';
import { Queues } from './Queues';
import { Slots } from './Slots';

/** How every part is, and the figures behind it. */
export function Overview() {
  const read = useFigures();
  return (
    <>
      <Parts read={read} />
      {read.fault !== null && <FaultNote fault={read.fault} onRetry={read.retry} />}
      <Split columns="minmax(0, 1fr) minmax(0, 1fr)">
        <Slots read={read} />
        <Queues read={read} />
      </Split>
      <Split columns="minmax(0, 1fr) minmax(0, 1fr)">
        <Pools read={read} />
        <BrokerCalls read={read} />
      </Split>
    </>
  );
}
