'use client';

import type { ReactNode } from 'react';

import { Gate } from '../access/Gate';
import { LiveProvider } from '../live/provider';
import { NoticeProvider } from '../ui/notices';
import { Shell } from './Shell';

/** Everything around a page: who uses it, the connection, notices, the frame. It outlives a change of page. */
export function App({ children }: { children: ReactNode }) {
  return (
    <Gate>
      <NoticeProvider>
        <LiveProvider>
          <Shell>{children}</Shell>
        </LiveProvider>
      </NoticeProvider>
    </Gate>
  );
}
