'use client';

import type { ReactNode } from 'react';

import { Gate } from '../access/Gate';
import { LiveProvider } from '../live/provider';
import { NoticeProvider } from '../ui/notices';
import { PageTitle } from './PageTitle';
import { Shell } from './Shell';

/** Everything around a page: who uses it, the connection, notices, the frame. It outlives a change of page. */
export function App({ children }: { children: ReactNode }) {
  return (
    <>
      <PageTitle />
      <Gate>
        <NoticeProvider>
          <LiveProvider>
            <Shell>{children}</Shell>
          </LiveProvider>
        </NoticeProvider>
      </Gate>
    </>
  );
}
