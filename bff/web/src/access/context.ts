/** Who uses the page, for everything below the gate. */

import { createContext, useContext } from 'react';

import { may, type Access, type Role, type Session } from './session';

export interface Admitted {
  access: Access;
  /** Null while the server does not answer: nobody may change anything then. */
  session: Session | null;
  signedOut: () => void;
}

const Context = createContext<Admitted | null>(null);

export const Admission = Context.Provider;

export function useAdmission(): Admitted {
  const admitted = useContext(Context);
  if (admitted === null) throw new Error('useAdmission is for what stands below the gate');
  return admitted;
}

export function useAccess(): Access {
  return useAdmission().access;
}

/** Whether whoever uses the page may do what needs `role`. */
export function useMay(role: Role): boolean {
  const { session } = useAdmission();
  return session !== null && may(session.role, role);
}

/**
 * Returns what a change carries under `field`: nothing where the server knows the session by its token, else
 * the name that the server gives whoever needs none.
 */
export function useActor(field: 'asked_by' | 'updated_by' | 'by'): Readonly<Record<string, string>> {
  const { session } = useAdmission();
  return session === null || session.hasToken ? {} : { [field]: session.name };
}
