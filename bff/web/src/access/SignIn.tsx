import { useState, type FormEvent } from 'react';

import { faultOf, type Fault } from '../api/request';
import { texts, useText } from '../text/text';
import { FaultNote } from '../ui/Panel';
import type { Access, Session } from './session';
import css from './access.module.css';

const TEXT = texts(
  {
    token: 'Token',
    signIn: 'Sign in',
    hint: 'An operator makes one with',
  },
  {
    token: '토큰',
    signIn: '로그인',
    hint: '토큰 만들기:',
  },
);

/** Asks for a token. */
export function SignIn({ access, onDone }: { access: Access; onDone: (session: Session) => void }) {
  const text = useText(TEXT);
  const [token, setToken] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [fault, setFault] = useState<Fault | null>(null);

  async function submit(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    setFault(null);
    try {
      onDone(await access.signIn(token.trim()));
    } catch (error) {
      setFault(faultOf(error));
    } finally {
      setBusy(false);
    }
  }

  return (
    <main className={css.page}>
      <form className={css.form} onSubmit={(event) => void submit(event)}>
        <h1>Turnstile</h1>
        <label className={css.field}>
          <span>{text.token}</span>
          <input
            type="password"
            name="token"
            value={token}
            autoComplete="current-password"
            autoFocus
            required
            onChange={(event) => setToken(event.target.value)}
          />
        </label>
        <button type="submit" disabled={isBusy}>
          {text.signIn}
        </button>
        {fault !== null && <FaultNote fault={fault} />}
        <p className={css.hint}>
          {text.hint} <code>turnstile token create NAME --role trader</code>
        </p>
      </form>
    </main>
  );
}
