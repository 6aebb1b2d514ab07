'use client';

import { useEffect, useState, type ReactNode } from 'react';

import { ApiError } from '../api/request';
import { Admission } from './context';
import { SignIn } from './SignIn';
import { Access, type Session } from './session';

/** How often the server is asked who this is while it does not answer. */
const RETRY_MS = 3_000;

/** `asking`: nothing is known yet. `away`: the server does not answer, the page says so itself. */
type State =
  | { kind: 'asking' | 'away' | 'signedOut'; access: Access | null }
  | { kind: 'signedIn'; access: Access; session: Session };

/** Shows the app to whoever may see it, and asks everybody else for a token. */
export function Gate({ children }: { children: ReactNode }) {
  const [state, setState] = useState<State>({ kind: 'asking', access: null });
  useEffect(() => {
    let isGone = false;
    let timer: ReturnType<typeof setTimeout>;
    const access = new Access();
    access.onEnded = () => setState({ kind: 'signedOut', access });
    const ask = async () => {
      try {
        const session = await access.who();
        if (isGone) return;
        setState(session === null ? { kind: 'signedOut', access } : { kind: 'signedIn', access, session });
      } catch (error) {
        if (isGone || !(error instanceof ApiError)) return;
        setState({ kind: 'away', access });
        timer = setTimeout(() => void ask(), RETRY_MS);
      }
    };
    void ask();
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, []);

  if (state.access === null) return null;
  const { access } = state;
  if (state.kind === 'signedOut') {
    return <SignIn access={access} onDone={(session) => setState({ kind: 'signedIn', access, session })} />;
  }
  const session = state.kind === 'signedIn' ? state.session : null;
  return (
    <Admission value={{ access, session, signedOut: () => setState({ kind: 'signedOut', access }) }}>
      {children}
    </Admission>
  );
}
