import type { ButtonHTMLAttributes, Ref } from 'react';

import { useMay } from '../access/context';
import type { Role } from '../access/session';
import { texts, useText } from '../text/text';
import css from './Button.module.css';

const TEXT = texts(
  { mayNot: (role: string) => `Needs a token of role ${role.toLowerCase()}.` },
  { mayNot: (role: string) => `${role} 권한의 토큰이 필요합니다.` },
);

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: 'plain' | 'primary' | 'danger' | 'quiet';
  size?: 'small' | 'large';
  /** A request is under way. */
  isBusy?: boolean;
  /** The least role that may press it; anybody else sees it disabled, and why. */
  needs?: Role;
  ref?: Ref<HTMLButtonElement>;
}

/** A button; one for which the user has no role says so. */
export function Button({ kind = 'plain', size, isBusy = false, needs = 'VIEWER', className, disabled, title, ...rest }: ButtonProps) {
  const text = useText(TEXT);
  const isAllowed = useMay(needs) || needs === 'VIEWER';
  return (
    <button
      type="button"
      className={[css.button, css[kind], size !== undefined && css[size], className].filter(Boolean).join(' ')}
      aria-busy={isBusy}
      disabled={disabled === true || isBusy || !isAllowed}
      title={isAllowed ? title : text.mayNot(needs)}
      {...rest}
    />
  );
}
