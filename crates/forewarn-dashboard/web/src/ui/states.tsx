// What a page shows when there is nothing to show: not yet, nothing there, or something went wrong.
import { Component, type ReactNode } from "react";
import type { Resource } from "../api/resource";
import { Icon } from "./icons";

export function Loading({ label = "Loading", rows = 3 }: { label?: string; rows?: number }) {
  return (
    <div className="loading" role="status">
      <span className="hidden">{label}</span>
      {Array.from({ length: rows }, (_, index) => (
        <span key={index} className="loading-row" />
      ))}
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      {children && <div className="empty-text">{children}</div>}
    </div>
  );
}

export function Failed({ error, retry }: { error: { title: string; detail: string | null }; retry?: () => void }) {
  return (
    <div className="failed" role="alert">
      <p className="empty-title">{error.title}</p>
      {error.detail && <p className="empty-text">{error.detail}</p>}
      {retry && (
        <button type="button" className="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** What a resource gives, or why not. What was there stays while a new answer is awaited or refused. */
export function Answer<T>({
  of: resource,
  rows,
  children,
}: {
  of: Resource<T>;
  rows?: number;
  children: (data: T) => ReactNode;
}) {
  if (resource.data !== undefined) {
    return (
      <>
        {resource.error && (
          <p className="stale" role="status">
            <Icon name="more" size={14} /> Not up to date: {resource.error.title}
          </p>
        )}
        {children(resource.data)}
      </>
    );
  }
  if (resource.error) return <Failed error={resource.error} retry={resource.reload} />;
  return <Loading rows={rows} />;
}

/** Keeps a defect of one page from taking down the others. */
export class Guard extends Component<{ children: ReactNode; resetKey: string }, { error: Error | null; key: string }> {
  override state = { error: null as Error | null, key: this.props.resetKey };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  static getDerivedStateFromProps(props: { resetKey: string }, state: { key: string }) {
    return props.resetKey === state.key ? null : { error: null, key: props.resetKey };
  }

  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <Failed
        error={{ title: "This page has a defect and cannot be shown", detail: error.message }}
        retry={() => this.setState({ error: null })}
      />
    );
  }
}
