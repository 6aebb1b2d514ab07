import { Dialog as Radix } from 'radix-ui';
import type { FormEvent, ReactNode } from 'react';

import { texts, useText } from '../text/text';
import { Button } from './Button';
import css from './Dialog.module.css';

const TEXT = texts({ cancel: 'Cancel', close: 'Close' }, { cancel: '취소', close: '닫기' });

interface DialogProps {
  title: string;
  /** What it is about; read aloud with the title. */
  about?: ReactNode;
  isOpen: boolean;
  onClose: () => void;
  children: ReactNode;
  isWide?: boolean;
}

/** A dialog over the page. Escape and a click beside it close it. */
export function Dialog({ title, about, isOpen, onClose, children, isWide = false }: DialogProps) {
  const text = useText(TEXT);
  return (
    <Radix.Root open={isOpen} onOpenChange={(open) => !open && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className={css.overlay} />
        <Radix.Content className={`${css.content} ${isWide ? css.wide : ''}`} {...(about === undefined ? { 'aria-describedby': undefined } : {})}>
          <div className={css.head}>
            <Radix.Title className={css.title}>{title}</Radix.Title>
            <Radix.Close className={css.close} aria-label={text.close}>
              ×
            </Radix.Close>
          </div>
          {about !== undefined && <Radix.Description className={css.about} asChild><div>{about}</div></Radix.Description>}
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

interface AskProps {
  title: string;
  about?: ReactNode;
  isOpen: boolean;
  onClose: () => void;
  /** What the button says. */
  action: string;
  isDanger?: boolean;
  isBusy?: boolean;
  isReady?: boolean;
  onConfirm: () => void;
  children?: ReactNode;
}

/** A dialog that asks before it does something: a form with one action and a way out. */
export function Ask({ title, about, isOpen, onClose, action, isDanger = false, isBusy = false, isReady = true, onConfirm, children }: AskProps) {
  const text = useText(TEXT);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isReady && !isBusy) onConfirm();
  };
  return (
    <Dialog title={title} about={about} isOpen={isOpen} onClose={onClose}>
      <form className={css.form} onSubmit={submit}>
        {children}
        <div className={css.actions}>
          <Button onClick={onClose}>{text.cancel}</Button>
          <Button type="submit" kind={isDanger ? 'danger' : 'primary'} isBusy={isBusy} disabled={!isReady} data-testid="confirm">
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
