import { useState, type FormEvent } from 'react';

import { FaultNote } from '../desk/Panel';
import { faultOf, type Fault } from '../feed/api';
import type { Access, Session } from './session';
import css from './access.module.css';

/** Asks for a token. */
export function SignIn({ access, onDone }: { access: Access; onDone: (session: Session) => void }) {
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
          <span>Token</span>
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
          Sign in
        </button>
        {fault !== null && <FaultNote fault={fault} action={{ label: 'Dismiss', run: () => setFault(null) }} />}
        <p className={css.hint}>
          An operator makes one with <code>turnstile token create NAME --role trader</code>.
        </p>
      </form>
    </main>
  );
}
