import type { Metadata, Viewport } from 'next';
import type { ReactNode } from 'react';

import { App } from '../src/shell/App';
import { BEGIN_SCRIPT } from '../src/shell/begin';
import './globals.css';

export const metadata: Metadata = {
  description: "Operator's desk: positions, exits and re-entries as they happen.",
};

export const viewport: Viewport = {
  width: 'device-width',
  initialScale: 1,
  colorScheme: 'dark light',
};

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en" suppressHydrationWarning>
      <head>
        <script dangerouslySetInnerHTML={{ __html: BEGIN_SCRIPT }} />
      </head>
      <body>
        <App>{children}</App>
      </body>
    </html>
  );
}
