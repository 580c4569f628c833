export interface Options {
  port?: number;
  services?: number;
  base?: string;
  /** Seconds of a made-up minute. */
  minute?: number;
  now?: number;
}

export interface Mock {
  url: string;
  token: string;
  stop(): Promise<void>;
}

export function start(options?: Options): Promise<Mock>;
