import type { Access, Session } from './session';
import css from './access.module.css';

/** Says who uses the desk, and signs out. */
export function SignedIn({
  access,
  session,
  onSignedOut,
}: {
  access: Access;
  session: Session;
  onSignedOut: () => void;
}) {
  if (!session.hasToken) return null;
  return (
    <span className={css.who} data-testid="who">
      {session.name} · {session.role.toLowerCase()}
      {/* A session that cannot be ended at the server is over for this page all the same. */}
      <button type="button" onClick={() => void access.signOut().catch(() => {}).finally(onSignedOut)}>
        Sign out
      </button>
    </span>
  );
}
