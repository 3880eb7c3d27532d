/* Written by "npm run docs" from what the server says of itself. */

/** What each tool takes, and what it answers. */
export interface Tools {
  analyze_query: {
    arguments: {
      query: string
      params?: (unknown)[]
      analyze?: boolean
      try_on?: string
    }
    answer: {
      execution_plan: Record<string, unknown>
      suggestions: (string)[]
      estimated_improvement: string
      findings: ({
        rule: string
        node: string
        evidence: string
        advice: string
      })[]
      indexes: ({
        create_sql: string
        drop_sql: string
        why: string
        replaces: (string)[]
        method: string
        cost_before: number
        cost_after: number
        ms_before: number | null
        ms_after: number | null
        size_bytes: number
        write_overhead: string
      })[]
      statement_class: string
    }
  }
  cache_pattern_result: {
    arguments: {
      symbol: string
      pattern_type: string
      result: Record<string, unknown>
      ttl?: number
    }
    answer: {
      cached: boolean
      key: string
      reason: string | null
    }
  }
  cancel_backend: {
    arguments: {
      pid: number
      connected_at: string
      terminate?: boolean
      confirm_token?: string
    }
    answer: {
      pid: number
      cancelled: boolean
      terminated: boolean
    }
  }
  cancel_job: {
    arguments: {
      job_id: string
    }
    answer: {
      job_id: string
      tool: string
      state: "queued" | "running" | "succeeded" | "failed" | "cancelled"
      progress: {
        done: number
        total: number
        message: string
      } | null
      result: Record<string, unknown> | null
      error: {
        code: string
        message: string
        hint: string | null
        retryable: boolean
        reference: string
      } | null
      created_at: string
      updated_at: string
      started_at: string | null
      finished_at: string | null
    }
  }
  create_backup: {
    arguments: {
      type: "full" | "incremental"
      compress?: boolean
      encrypt?: boolean
      idempotency_key?: string
    }
    answer: {
      backup_id?: string
      location?: string
      size_bytes?: number
      duration_ms?: number
      type?: "full" | "incremental"
      reason?: string | null
      covered_until?: string | null
      encrypted?: boolean
      tables?: number
      rows?: number | null
      issues?: (string)[]
      status?: "running"
      job_id?: string
      replayed?: true
    }
  }
  create_migration: {
    arguments: {
      name: string
      up_sql: string
      down_sql: string
      description?: string
    }
    answer: {
      migration_file: string
      version: number
      lint: ({
        rule: string
        severity: "error" | "block" | "warn" | "info"
        statement: number
        line: number
        message: string
        lock: string | null
        blocks: string | null
        rewrite: string | null
        docs: string | null
      })[]
    }
  }
  decide_recommendation: {
    arguments: {
      recommendation_id: string
      decision: "approve" | "deny"
      reason?: string
      confirm_token?: string
    }
    answer: {
      recommendation_id: string
      status: "open" | "approved" | "denied" | "expired" | "superseded"
      result: Record<string, unknown> | null
    }
  }
  discard_restore: {
    arguments: {
      restore_id: string
      confirm_token?: string
    }
    answer: {
      discarded: boolean
      database: string
    }
  }
  end_db_session: {
    arguments: {
      session_id: string
      outcome: "commit" | "rollback"
      idempotency_key?: string
    }
    answer: {
      outcome: "commit" | "rollback"
      operations_count: number
      replayed?: true
    }
  }
  execute_transaction: {
    arguments: {
      session_id: string
      operations: ({
        tool: string
        params: Record<string, unknown>
      } | {
        resource: string
      })[]
      commit?: boolean
      idempotency_key?: string
    }
    answer: {
      results: (unknown)[]
      transaction_id: string
      committed: boolean
      replayed?: true
    }
  }
  get_job: {
    arguments: {
      job_id: string
      wait_ms?: number
    }
    answer: {
      job_id: string
      tool: string
      state: "queued" | "running" | "succeeded" | "failed" | "cancelled"
      progress: {
        done: number
        total: number
        message: string
      } | null
      result: Record<string, unknown> | null
      error: {
        code: string
        message: string
        hint: string | null
        retryable: boolean
        reference: string
      } | null
      created_at: string
      updated_at: string
      started_at: string | null
      finished_at: string | null
    }
  }
  invalidate_cache: {
    arguments: {
      pattern?: string
      symbol?: string
      cache_type?: "patterns" | "indicators" | "sentiment" | "news"
      confirm_token?: string
    }
    answer: {
      keys_deleted: number
      complete: boolean
      reason: string | null
    }
  }
  list_events: {
    arguments: {
      types?: ("db.transaction" | "db.error" | "db.session.expired" | "job.finished" | "cache.invalidation" | "cache.memory.high" | "migration.applied" | "db.schema.changed" | "sync.completed" | "backup.completed" | "backup.failed" | "backup.verified" | "db.performance.degraded" | "replication.lag" | "assistant.report" | "assistant.action")[]
      after?: number
      limit?: number
      wait_ms?: number
    }
    answer: {
      events: ({
        seq: number
        type: string
        at: string
        severity: "info" | "warning" | "critical"
        data: Record<string, unknown>
      })[]
      next_cursor: number
      oldest_seq: number | null
    }
  }
  optimize_tables: {
    arguments: {
      tables?: (string)[]
      operations: ("vacuum" | "analyze" | "reindex")[]
      idempotency_key?: string
    }
    answer: {
      tables_optimized?: number
      space_reclaimed?: string
      duration_ms?: number
      tables?: ({
        name: string
        operation: string
        before: {
          size_bytes: number
          dead_rows: number
        }
        after: {
          size_bytes: number
          dead_rows: number
        }
        reclaimed_bytes: number
        reusable_bytes: number | null
        skipped: string | null
      })[]
      status?: "running"
      job_id?: string
      replayed?: true
    }
  }
  persist_news_batch: {
    arguments: {
      articles: ({
        headline: string
        source: string
        symbol?: string
        published_timestamp: string
        catalyst_indicators?: {
          keywords?: (string)[]
          urgency_score?: number
          market_state?: "pre-market" | "regular" | "after-hours" | "closed" | "weekend"
        }
        url?: string
        snippet?: string
      })[]
      deduplicate?: boolean
      session_id?: string
      idempotency_key?: string
    }
    answer: {
      news_ids: (string | null)[]
      total_processed: number
      new_articles: number
      duplicates: number
      catalyst_scores: Record<string, number>
      rejected: number
      errors: ({
        index: number
        code: string
        message: string
      })[]
      replayed?: true
    }
  }
  persist_news_catalyst: {
    arguments: {
      headline: string
      source: string
      symbol?: string
      published_timestamp: string
      catalyst_indicators?: {
        keywords?: (string)[]
        urgency_score?: number
        market_state?: "pre-market" | "regular" | "after-hours" | "closed" | "weekend"
      }
      url?: string
      snippet?: string
      session_id?: string
      idempotency_key?: string
    }
    answer: {
      news_id: string
      catalyst_score: number
      source_metrics_updated: boolean
      duplicate: boolean
      market_state: "pre-market" | "regular" | "after-hours" | "closed" | "weekend"
      catalyst_type: "earnings" | "fda" | "merger" | "analyst" | "insider" | "legal" | "product" | "guidance" | "partnership" | "ipo" | "bankruptcy" | "dividend" | null
      expected_direction: number
      cluster_id: string | null
      score_components: {
        tier_weight: number
        recency: number
        keyword_weight: number
        state_multiplier: number
      }
      warnings: (string)[]
      replayed?: true
    }
  }
  persist_pattern_detection: {
    arguments: {
      symbol: string
      pattern_type: string
      confidence: number
      catalyst_alignment: {
        has_catalyst: boolean
        catalyst_type?: string
        alignment_score: number
      }
      timeframe?: "1m" | "2m" | "3m" | "5m" | "10m" | "15m" | "30m" | "1h" | "2h" | "4h" | "1d" | "1w"
      direction?: "bullish" | "bearish" | "neutral"
      detected_at?: string
      price?: string
      session_id?: string
      idempotency_key?: string
    }
    answer: {
      pattern_id: number
      historical_success_rate: number
      sample_size: number
      interval: {
        low: number
        high: number
      }
      level: "none" | "type" | "type_catalyst" | "type_timeframe_catalyst"
      duplicate: boolean
      warnings: (string)[]
      replayed?: true
    }
  }
  persist_price_bars: {
    arguments: {
      symbol: string
      timeframe: "1m" | "2m" | "3m" | "5m" | "10m" | "15m" | "30m" | "1h" | "2h" | "4h" | "1d" | "1w"
      bars: ({
        ts?: string
        timestamp?: string
        open: string
        high: string
        low: string
        close: string
        volume?: string
      })[]
      session_id?: string
      idempotency_key?: string
    }
    answer: {
      stored: number
      replaced: number
      unchanged: number
      rejected: number
      errors: ({
        index: number
        code: string
        message: string
      })[]
      replayed?: true
    }
  }
  persist_trade_execution: {
    arguments: {
      symbol: string
      side: "buy" | "sell"
      quantity: string
      execution_details: {
        order_type: "market" | "limit"
        fill_price: string
        fill_time: string
      }
      catalyst_tracking?: {
        entry_catalyst?: string
        entry_news_id?: string
      }
      signal_id?: string
      account_id?: string
      execution_id?: string
      order_id?: string
      fees?: string
      session_id?: string
      idempotency_key?: string
    }
    answer: {
      trade_id: string
      position_updated: boolean
      duplicate: boolean
      is_late: boolean
      position: {
        position_id: string
        direction: "long" | "short"
        status: "open" | "closed"
        qty_open: string
        avg_entry_price: string
        realized_pnl: string
        fees: string
        net_pnl: string
      }
      closed_position?: {
        position_id: string
        direction: "long" | "short"
        status: "open" | "closed"
        qty_open: string
        avg_entry_price: string
        realized_pnl: string
        fees: string
        net_pnl: string
        outcome: "win" | "loss" | "scratch"
        net_return_bps: string
      }
      warnings: (string)[]
      replayed?: true
    }
  }
  persist_trading_signal: {
    arguments: {
      symbol: string
      signal_type: "BUY" | "SELL" | "HOLD"
      confidence: number
      catalyst_context: {
        news_ids: (string)[]
        catalyst_type?: string
        catalyst_score?: number
      }
      technical_context: {
        patterns: (string)[]
        indicators: Record<string, unknown>
        timeframe?: "1m" | "2m" | "3m" | "5m" | "10m" | "15m" | "30m" | "1h" | "2h" | "4h" | "1d" | "1w"
      }
      account_id?: string
      session_id?: string
      idempotency_key?: string
    }
    answer: {
      signal_id: string
      account_id: string
      status: "pending" | "rejected"
      reasons: (string)[]
      risk_parameters: {
        intent: "entry" | "exit" | "none"
        size_tier: "full" | "half" | "quarter" | "none"
        max_position_pct: number
        shares: string | null
        shares_by_risk: string | null
        shares_by_size: string | null
        entry_price: string | null
        stop_price: string | null
        target_1: string | null
        target_2: string | null
        reward_risk: number | null
        atr: string | null
        atr_source: "client" | "stored" | null
        atr_timeframe: "1m" | "2m" | "3m" | "5m" | "10m" | "15m" | "30m" | "1h" | "2h" | "4h" | "1d" | "1w" | null
        equity: string | null
        missing: ("entry_price" | "atr" | "equity")[]
        checks: ({
          check: "confidence" | "price" | "levels" | "reward_risk" | "size" | "open_positions" | "symbol_position" | "day_loss" | "trades_today"
          passed: boolean | null
          detail: string
        })[]
      }
      expires_at: string
      warnings: (string)[]
      replayed?: true
    }
  }
  query_database: {
    arguments: {
      sql: string
      params?: (unknown)[]
      limit?: number
      restore_id?: string
    }
    answer: {
      columns: ({
        name: string
        type: string
      })[]
      rows: ((unknown)[])[]
      row_count: number
      truncated: boolean
      duration_ms: number
      warning: string | null
    }
  }
  read_resource: {
    arguments: {
      uri?: string
    }
    answer: Record<string, unknown>
  }
  restore_backup: {
    arguments: {
      backup_id: string
      target_time?: string
      dry_run?: boolean
      mode?: "side" | "swap"
      tables?: (string)[]
      confirm_token?: string
      idempotency_key?: string
    }
    answer: {
      restore_status?: "success" | "failed"
      tables_restored?: number
      duration_ms?: number
      restore_id?: string | null
      database?: string | null
      recovered_to?: {
        time: string
        lsn: string
      }
      next_commit_at?: string | null
      rows?: number
      plan?: {
        full: string
        segments: number
        barriers: ({
          at: string
          kind: string
          reason: string
        })[]
        bytes: number
        estimated_ms: number
      }
      warnings?: (string)[]
      status?: "running"
      job_id?: string
      replayed?: true
    }
  }
  rollback_migration: {
    arguments: {
      target_version: number
      confirm_token?: string
      idempotency_key?: string
    }
    answer: {
      rolled_back?: (number)[]
      current_version?: number
      status?: "running"
      job_id?: string
      replayed?: true
    }
  }
  run_maintenance: {
    arguments: {
      dry_run?: boolean
      idempotency_key?: string
    }
    answer: {
      report_id?: string
      at?: string
      dry_run?: boolean
      verdict?: "healthy" | "degraded" | "unhealthy"
      summary?: string
      findings?: ({
        check: string
        severity: "critical" | "warning" | "info"
        object: string | null
        title: string
        evidence: Record<string, unknown>
        next_step: string | null
      })[]
      actions?: ({
        action_id: string | null
        action: "create_backup" | "investigate_pool" | "cancel_backend" | "sync_outcomes" | "vacuum_table" | "reindex_index" | "refresh_statistics" | "analyze_slow_query" | "warm_cache"
        object: string
        tool: string
        arguments: Record<string, unknown>
        reason: string
        evidence: Record<string, unknown>
        decision: "done" | "failed" | "proposed" | "skipped" | "would_do"
        why: string
        before: Record<string, unknown> | null
        after: Record<string, unknown> | null
        outcome: "helped" | "no_effect" | "worse" | null
        recommendation_id: string | null
      })[]
      backups?: Record<string, unknown>
      sync?: Record<string, unknown>
      changes_since_last?: (string)[]
      unknown?: ({
        what: string
        reason: string
      })[]
      disabled?: ("create_backup" | "investigate_pool" | "cancel_backend" | "sync_outcomes" | "vacuum_table" | "reindex_index" | "refresh_statistics" | "analyze_slow_query" | "warm_cache")[]
      next_run?: string | null
      status?: "running"
      job_id?: string
      replayed?: true
    }
  }
  run_migrations: {
    arguments: {
      target_version?: number
      dry_run?: boolean
      confirm_token?: string
      idempotency_key?: string
    }
    answer: {
      migrations_applied?: ({
        version: number
        name: string
        status: "applied" | "dry_run" | "planned"
        reason: string | null
        duration_ms: number | null
        statements: number
        statement_ms: (number)[]
        locks: ({
          relation: string
          mode: string
          statement: number
        })[] | null
        rewrites: ({
          relation: string
          statement: number
        })[] | null
        losses: (string)[] | null
        lint: ({
          rule: string
          severity: "error" | "block" | "warn" | "info"
          statement: number
          line: number
          message: string
          lock: string | null
          blocks: string | null
          rewrite: string | null
          docs: string | null
        })[]
      })[]
      new_version?: number
      note?: string | null
      status?: "running"
      job_id?: string
      replayed?: true
    }
  }
  start_db_session: {
    arguments: {
      isolation_level?: "read_committed" | "repeatable_read" | "serializable"
      read_only?: boolean
    }
    answer: {
      session_id: string
      expires_in: number
      expires_at: string
    }
  }
  sync_catalyst_outcomes: {
    arguments: {
      since?: string
      batch_size?: number
      idempotency_key?: string
    }
    answer: {
      trades_processed?: number
      news_accuracy_updated?: number
      source_metrics_updated?: number
      status?: "running"
      job_id?: string
      replayed?: true
    }
  }
  sync_pattern_outcomes: {
    arguments: {
      pattern_types?: (string)[]
      timeframe?: "1m" | "2m" | "3m" | "5m" | "10m" | "15m" | "30m" | "1h" | "2h" | "4h" | "1d" | "1w"
      idempotency_key?: string
    }
    answer: {
      patterns_updated?: number
      success_rate_changes?: Record<string, {
        from: number
        to: number
        n: number
      }>
      status?: "running"
      job_id?: string
      replayed?: true
    }
  }
  sync_source_metrics: {
    arguments: {
      sources?: (string)[]
      recalculate_all?: boolean
      idempotency_key?: string
    }
    answer: {
      sources_updated?: number
      accuracy_changes?: Record<string, {
        from: number | null
        to: number | null
        n_eff: number
        reliability: {
          from: number
          to: number
        }
      }>
      status?: "running"
      job_id?: string
      replayed?: true
    }
  }
  update_pattern_outcome: {
    arguments: {
      pattern_id: number
      success: boolean
      actual_move?: string
      evidence?: string
      session_id?: string
      idempotency_key?: string
    }
    answer: {
      pattern_id: number
      changed: boolean
      previous: {
        status: "pending" | "resolved" | "unresolvable"
        success: boolean | null
        method: "trade" | "price" | "manual" | null
      }
      status: "pending" | "resolved" | "unresolvable"
      success: boolean
      method: "trade" | "price" | "manual"
      move_bps: string | null
      historical_success_rate: number
      sample_size: number
      replayed?: true
    }
  }
  update_signal_status: {
    arguments: {
      signal_id: string
      status: "executed" | "expired" | "cancelled" | "rejected"
      reason?: string
      session_id?: string
      idempotency_key?: string
    }
    answer: {
      signal_id: string
      previous_status: "pending" | "executed" | "expired" | "cancelled" | "rejected"
      status: "pending" | "executed" | "expired" | "cancelled" | "rejected"
      changed: boolean
      reason: string | null
      replayed?: true
    }
  }
  update_statistics: {
    arguments: {
      tables?: (string)[]
      idempotency_key?: string
    }
    answer: {
      updated?: number
      duration_ms?: number
      tables?: ({
        name: string
        skipped: string | null
      })[]
      status?: "running"
      job_id?: string
      replayed?: true
    }
  }
  verify_backup: {
    arguments: {
      backup_id: string
      level?: "quick" | "content" | "restore"
      idempotency_key?: string
    }
    answer: {
      valid?: boolean
      issues?: (string)[]
      level?: "quick" | "content" | "restore"
      objects?: number
      bytes?: number
      not_checked?: (string)[]
      phases?: ({
        name: string
        duration_ms: number
      })[]
      verified_at?: string
      status?: "running"
      job_id?: string
      replayed?: true
    }
  }
  warm_cache: {
    arguments: {
      symbols: (string)[]
      cache_types: ("patterns" | "indicators" | "sentiment" | "news")[]
      idempotency_key?: string
    }
    answer: {
      warmed_entries?: number
      duration_ms?: number
      by_cache_type?: Record<string, number>
      skipped?: ({
        symbol: string
        cache_type: "patterns" | "indicators" | "sentiment" | "news"
        reason: string
      })[]
      status?: "running"
      job_id?: string
      replayed?: true
    }
  }
}

/** What is read at each path. */
export interface Resources {
  'assistant/actions': {
    actions: ({
      action_id: string
      report_id: string | null
      at: string
      action: "create_backup" | "investigate_pool" | "cancel_backend" | "sync_outcomes" | "vacuum_table" | "reindex_index" | "refresh_statistics" | "analyze_slow_query" | "warm_cache"
      object: string
      tool: string
      arguments: Record<string, unknown>
      reason: string
      evidence: Record<string, unknown>
      decision: "running" | "done" | "failed" | "proposed" | "skipped" | "would_do"
      why: string
      before: Record<string, unknown> | null
      after: Record<string, unknown> | null
      outcome: "helped" | "no_effect" | "worse" | null
      recommendation_id: string | null
      finished_at: string | null
    })[]
    next_cursor: string | null
  }
  'assistant/recommendations': {
    recommendations: ({
      recommendation_id: string
      action: "create_backup" | "investigate_pool" | "cancel_backend" | "sync_outcomes" | "vacuum_table" | "reindex_index" | "refresh_statistics" | "analyze_slow_query" | "warm_cache"
      object: string
      tool: string
      arguments: Record<string, unknown>
      reason: string
      evidence: Record<string, unknown>
      created_at: string
      expires_at: string
      status: "open" | "approved" | "denied" | "expired" | "superseded"
      decided_at: string | null
      decided_by: string | null
      decided_reason: string | null
      result: Record<string, unknown> | null
    })[]
    next_cursor: string | null
  }
  'assistant/reports': {
    reports: ({
      report_id: string
      at: string
      verdict: "healthy" | "degraded" | "unhealthy"
      dry_run: boolean
      actions: number
      findings: number
    })[]
    next_cursor: string | null
  }
  'assistant/reports/latest': {
    report_id: string | null
    at?: string
    dry_run?: boolean
    verdict: "healthy" | "degraded" | "unhealthy" | null
    summary: string
    findings?: ({
      check: string
      severity: "critical" | "warning" | "info"
      object: string | null
      title: string
      evidence: Record<string, unknown>
      next_step: string | null
    })[]
    actions?: ({
      action_id: string | null
      action: "create_backup" | "investigate_pool" | "cancel_backend" | "sync_outcomes" | "vacuum_table" | "reindex_index" | "refresh_statistics" | "analyze_slow_query" | "warm_cache"
      object: string
      tool: string
      arguments: Record<string, unknown>
      reason: string
      evidence: Record<string, unknown>
      decision: "done" | "failed" | "proposed" | "skipped" | "would_do"
      why: string
      before: Record<string, unknown> | null
      after: Record<string, unknown> | null
      outcome: "helped" | "no_effect" | "worse" | null
      recommendation_id: string | null
    })[]
    backups?: Record<string, unknown>
    sync?: Record<string, unknown>
    changes_since_last?: (string)[]
    unknown?: ({
      what: string
      reason: string
    })[]
    disabled?: ("create_backup" | "investigate_pool" | "cancel_backend" | "sync_outcomes" | "vacuum_table" | "reindex_index" | "refresh_statistics" | "analyze_slow_query" | "warm_cache")[]
    next_run: string | null
  }
  'cache/entries/{key}': {
    key: string
    cache_type: "patterns" | "indicators" | "sentiment" | "news"
    value: unknown
    cached_by: "server" | "client"
    cached_at: string
    ttl_seconds: number
    built_from: number
  }
  'cache/keys': {
    keys: (string)[]
    total_matching: number
    complete: boolean
    next_cursor: string | null
  }
  'cache/stats': {
    status: "ready" | "connecting" | "loading" | "down"
    reason: string | null
    since: string
    breaker: "closed" | "open" | "half_open"
    engine: "external" | "embedded" | "in-process"
    failed_reads: number
    failed_stores: number
    redis_info: {
      used_memory: string | null
      used_memory_bytes: number | null
      max_memory_bytes: number | null
      hit_rate: number | null
      evicted_keys: number | null
      connected_clients: number | null
      keys: number | null
      keys_complete: boolean | null
      by_cache_type: {
        patterns: {
          keys: number | null
          hits: number
          misses: number
        }
        indicators: {
          keys: number | null
          hits: number
          misses: number
        }
        sentiment: {
          keys: number | null
          hits: number
          misses: number
        }
        news: {
          keys: number | null
          hits: number
          misses: number
        }
      }
    }
  }
  'db/backups/changes': {
    changes: ({
      lsn: string
      committed_at: string
      operation: "insert" | "update" | "delete" | "truncate"
      key: Record<string, string | null> | null
      old: Record<string, string | null> | null
      new: Record<string, string | null> | null
      transaction_id: string
    })[]
    note: string | null
    next_cursor: string | null
  }
  'db/backups/history': {
    backups: ({
      backup_id: string
      type: "full" | "incremental"
      timestamp: string
      size: string | null
      size_bytes: number | null
      location: string
      base_backup: string | null
      encrypted: boolean
      status: "running" | "completed" | "failed" | "retained"
      verified_at: string | null
      verified_level: "quick" | "content" | "restore" | null
      duration_ms: number | null
      error: {
        code: string
        message: string
      } | null
    })[]
    next_cursor: string | null
  }
  'db/backups/latest': {
    latest_full: {
      backup_id: string
      type: "full" | "incremental"
      timestamp: string
      size: string | null
      size_bytes: number | null
      location: string
      base_backup: string | null
      encrypted: boolean
    } | null
    latest_incremental: {
      backup_id: string
      type: "full" | "incremental"
      timestamp: string
      size: string | null
      size_bytes: number | null
      location: string
      base_backup: string | null
      encrypted: boolean
    } | null
    covered_until: string | null
    oldest_restorable: string | null
    rpo_seconds: number | null
    last_verified: {
      backup_id: string
      level: "quick" | "content" | "restore"
      at: string
      valid: boolean
    } | null
    last_drill: {
      at: string
      restore_ms: number | null
      valid: boolean
    } | null
    log: {
      state: "archiving" | "paused" | "unavailable"
      lag_bytes: number | null
      retained_bytes: number | null
      budget_bytes: number | null
      last_segment_at: string | null
      reason: string | null
    }
    store: {
      status: "ok" | "failing"
      reason: string | null
    }
    barriers: ({
      at: string
      kind: string
      reason: string
    })[]
  }
  'db/backups/restores': {
    restores: ({
      restore_id: string
      database: string
      backup_id: string
      recovered_to: {
        time: string
        lsn: string
      } | null
      created_at: string
      expires_at: string
      size_bytes: number | null
    })[]
  }
  'db/backups/row': {
    row: Record<string, string | null> | null
    changed_at: string | null
    from_backup: string
  }
  'db/connections': {
    pool_stats: {
      total: number
      active: number
      idle: number
      waiting: number
      max: number
    }
    connection_details: ({
      pid: number
      application_name: string
      state: string | null
      wait_event: string | null
      connected_at: string
      transaction_age_ms: number | null
      query_age_ms: number | null
      query: string | null
    })[]
  }
  'db/findings': {
    status: "healthy" | "degraded" | "unhealthy"
    counts: {
      critical: number
      warning: number
      info: number
    }
    findings: ({
      check: string
      severity: "critical" | "warning" | "info"
      object: string | null
      title: string
      evidence: Record<string, unknown>
      threshold: number | string | boolean | null
      since: string
      trend: {
        per_hour: number
        eta_seconds: number | null
        text: string
      } | null
      next_step: string
      tool: {
        name: string
        arguments: Record<string, unknown>
      } | null
    })[]
    passed: ({
      check: string
      value: number | string | boolean | null
      threshold: number | string | boolean | null
    })[]
    unknown: ({
      check: string
      reason: string
    })[]
    sampled_at: string | null
  }
  'db/locks': {
    blocked: number
    longest_wait_ms: number | null
    trees: ({
      pid: number
      application_name: string
      state: string | null
      wait_event: string | null
      transaction_age_ms: number | null
      wait_ms: number | null
      lock: {
        type: string
        mode: string
        relation: string | null
      } | null
      query: string | null
      blocks: unknown
      next_step: string
    })[]
  }
  'db/metrics': {
    timeframe: string
    from: string
    to: string
    step_seconds: number
    series: Record<string, {
      unit: string
      points: ([string, number | null])[]
    }>
    summary: Record<string, {
      min: number | null
      avg: number | null
      max: number | null
      last: number | null
    }>
    gaps: ([string, string])[]
    unavailable: Record<string, string>
  }
  'db/migrations/history': {
    migrations: ({
      version: number
      name: string
      applied_at: string
      duration_ms: number
      direction: "up" | "down" | "baseline" | "repair"
      applied_by: string
      checksum: string | null
    })[]
    next_cursor: string | null
  }
  'db/migrations/status': {
    current_version: number
    pending_migrations: ({
      version: number
      name: string
      description: string
    })[]
    problems: ({
      version: number | null
      name: string
      problem: "checksum_mismatch" | "missing_file" | "out_of_order" | "failed" | "unusable_file"
      message: string
      next_step: string
    })[]
  }
  'db/performance/connections': {
    pool_stats: {
      total: number
      active: number
      idle: number
      waiting: number
      max: number
    }
    connection_details: ({
      pid: number
      application_name: string
      state: string | null
      wait_event: string | null
      connected_at: string
      transaction_age_ms: number | null
      query_age_ms: number | null
      query: string | null
    })[]
  }
  'db/performance/slow-queries': {
    queries: ({
      query: string | null
      queryid: string
      avg_time_ms: number
      calls: number
      total_time_ms: number
      rows: number
      hit_rate: number | null
      share_of_total: number | null
      temp_bytes: number
      first_seen: string | null
      trend: {
        recent_avg_ms: number
        factor: number
      } | null
    })[]
    since: string | null
    complete: boolean | null
    unavailable_reason: string | null
  }
  'db/performance/tables': {
    tables: ({
      name: string
      size: string
      size_bytes: number
      rows: number
      index_hit_rate: number | null
      cache_hit_rate: number | null
      dead_rows: number | null
      bloat: {
        bytes: number
        share: number
        method: "measured" | "estimated"
      } | null
      last_vacuum: string | null
      last_analyze: string | null
      sequential_scans: number | null
      growth_bytes_per_day: number | null
    })[]
    next_cursor: string | null
  }
  'db/schema': {
    tables: ({
      name: string
      kind: string
      rows: number | null
      comment: string | null
      primary_key: (string)[]
      references: (string)[]
    })[]
    not_listed: number
  } | {
    name: string
    kind: string
    rows: number | null
    comment: string | null
    primary_key: (string)[]
    references: (string)[]
    size_bytes: number | null
    columns: (Record<string, unknown>)[]
    keys: (Record<string, unknown>)[]
    referenced_by: (string)[]
    indexes: (Record<string, unknown>)[]
    triggers: (Record<string, unknown>)[]
    partitions: (Record<string, unknown>)[]
    definition: string | null
  }
  'db/sessions/active': {
    sessions: ({
      session_id: string
      started_at: string
      transaction_active: boolean
      operations_count: number
      isolation_level: string
      read_only: boolean
      idle_seconds: number
      expires_at: string
    })[]
    others: number
  }
  'db/sessions/{session_id}': {
    session_id: string
    connection_info: {
      pool_id: string
      backend_pid: number | null
    }
    transaction_state: "idle" | "active" | "failed"
    locks_held: ({
      lock_type: string
      relation: string | null
      mode: string
      granted: boolean
    })[]
  }
  'db/slow-queries': {
    queries: ({
      query: string | null
      queryid: string
      avg_time_ms: number
      calls: number
      total_time_ms: number
      rows: number
      hit_rate: number | null
      share_of_total: number | null
      temp_bytes: number
      first_seen: string | null
      trend: {
        recent_avg_ms: number
        factor: number
      } | null
    })[]
    since: string | null
    complete: boolean | null
    unavailable_reason: string | null
  }
  'db/status': {
    status: "healthy" | "degraded" | "unhealthy"
    reasons: (string)[]
    findings: {
      critical: number
      warning: number
      info: number
    }
    postgresql: {
      status: "up" | "down"
      engine: "embedded" | "external" | "in-process"
      version: string | null
      since: string | null
      latency_ms: number | null
      in_recovery: boolean | null
      connections: number | null
      max_connections: number | null
      reason: string | null
    }
    redis: {
      status: string
      engine: "embedded" | "external" | "in-process"
      since: string | null
      reason: string | null
    }
    connection_pool: {
      total: number
      active: number
      idle: number
      waiting: number
      max: number
    }
    replication_lag: {
      max_lag_seconds: number | null
      replicas: ({
        name: string
        state: string
        lag_seconds: number | null
        lag_bytes: number | string | null
      })[]
    } | null
    object_store: {
      status: "ok" | "failing" | "unknown"
      reason: string | null
    }
    last_backup: {
      at: string | null
      backup_id: string | null
      covered_until: string | null
      rpo_seconds: number | null
      verified_at: string | null
      reason: string | null
    }
    schema_version: number | null
    uptime_seconds: number
    checked_at: string
  }
  'db/sync/status': {
    catalyst_outcomes: {
      pending_updates: number
      last_sync: string | null
      watermark: string | null
    }
    source_metrics: {
      pending_calculations: number
      last_update: string | null
    }
    pattern_outcomes: {
      pending_outcomes: number
      due_outcomes: number
      last_sync: string | null
    }
    has_pending: boolean
  }
  'events': {
    events: ({
      seq: number
      type: string
      at: string
      severity: "info" | "warning" | "critical"
      data: Record<string, unknown>
    })[]
    next_cursor: number
    oldest_seq: number | null
  }
  'events/{type}': {
    events: ({
      seq: number
      type: string
      at: string
      severity: "info" | "warning" | "critical"
      data: Record<string, unknown>
    })[]
    next_cursor: number
    oldest_seq: number | null
  }
  'jobs/{job_id}': {
    job_id: string
    tool: string
    state: "queued" | "running" | "succeeded" | "failed" | "cancelled"
    progress: {
      done: number
      total: number
      message: string
    } | null
    result: Record<string, unknown> | null
    error: {
      code: string
      message: string
      hint: string | null
      retryable: boolean
      reference: string
    } | null
    created_at: string
    updated_at: string
    started_at: string | null
    finished_at: string | null
  }
  'market/clock': {
    at: string
    market_state: "pre-market" | "regular" | "after-hours" | "closed" | "weekend"
    timezone: string
    trading_date: string
    is_trading_day: boolean
    is_half_day: boolean
    session: {
      pre_market_opens: string
      opens: string
      closes: string
      after_hours_end: string
    } | null
    next_open: string
    next_close: string
  }
  'news': {
    items: ({
      news_id: string
      headline: string
      source: string
      source_tier: number
      symbol: string | null
      published_at: string
      collected_at: string
      market_state: "pre-market" | "regular" | "after-hours" | "closed" | "weekend"
      catalyst_type: "earnings" | "fda" | "merger" | "analyst" | "insider" | "legal" | "product" | "guidance" | "partnership" | "ipo" | "bankruptcy" | "dividend" | null
      catalyst_score: number
      expected_direction: number
      keywords: (string)[]
      urgency_score: number
      update_count: number
      cluster_id: string | null
      url: string | null
    })[]
    next_cursor: string | null
  }
  'news/sources': {
    sources: ({
      source_name: string
      tier: number
      reliability: number
      ci_low: number
      ci_high: number
      n_eff: number
      accuracy_rate: number | null
      is_rated: boolean
      totals: {
        articles: number
        duplicates: number
        confirmed: number
        w_win: number
        w_loss: number
      }
      avg_lead_minutes: number | null
      as_of: string | null
    })[]
    next_cursor: string | null
  }
  'news/{news_id}': {
    news_id: string
    headline: string
    source: string
    source_tier: number
    symbol: string | null
    published_at: string
    collected_at: string
    market_state: "pre-market" | "regular" | "after-hours" | "closed" | "weekend"
    catalyst_type: "earnings" | "fda" | "merger" | "analyst" | "insider" | "legal" | "product" | "guidance" | "partnership" | "ipo" | "bankruptcy" | "dividend" | null
    catalyst_score: number
    expected_direction: number
    keywords: (string)[]
    urgency_score: number
    update_count: number
    cluster_id: string | null
    url: string | null
    snippet: string | null
    client_market_state: "pre-market" | "regular" | "after-hours" | "closed" | "weekend" | null
    score_version: number
    score_components: {
      tier_weight: number
      recency: number
      keyword_weight: number
      state_multiplier: number
    } | null
    symbols: ({
      symbol: string
      role: "subject" | "mentioned"
    })[]
    confirmed_by: ({
      news_id: string
      source: string
      source_tier: number
      delay_minutes: number
    })[]
    confirms: ({
      news_id: string
      source: string
      source_tier: number
      delay_minutes: number
    })[]
    cluster: {
      cluster_id: string
      first_published_at: string
      last_published_at: string
      keywords: (string)[]
      article_count: number
      source_count: number
      avg_tier: number
      coordination_score: number
    } | null
    outcome: {
      was_accurate: boolean | null
      w_win: number
      w_loss: number
      n_positions: number
      move_1h_bps: number | null
      move_24h_bps: number | null
      status: "pending" | "resolved" | "unresolvable"
      reason: string | null
      as_of: string
    } | null
  }
  'patterns': {
    items: ({
      pattern_id: number
      symbol: string
      pattern_type: string
      timeframe: "1m" | "2m" | "3m" | "5m" | "10m" | "15m" | "30m" | "1h" | "2h" | "4h" | "1d" | "1w"
      direction: "bullish" | "bearish" | "neutral"
      confidence: number
      detected_at: string
      price: string | null
      has_catalyst: boolean
      catalyst_type: string | null
      alignment_score: number
      status: "pending" | "resolved" | "unresolvable"
      success: boolean | null
      method: "trade" | "price" | "manual" | null
      move_bps: string | null
      minutes: string | null
      position_id: string | null
      reason: string | null
      updated_at: string
    })[]
    next_cursor: string | null
  }
  'patterns/statistics': {
    items: ({
      pattern_type: string
      timeframe: "1m" | "2m" | "3m" | "5m" | "10m" | "15m" | "30m" | "1h" | "2h" | "4h" | "1d" | "1w"
      catalyst: string
      n: number
      wins: number
      rate: number | null
      ci_low: number
      ci_high: number
      shrunk: number
    })[]
    next_cursor: string | null
  }
  'positions': {
    items: ({
      position_id: string
      direction: "long" | "short"
      status: "open" | "closed"
      qty_open: string
      avg_entry_price: string
      realized_pnl: string
      fees: string
      net_pnl: string
      account_id: string
      symbol: string
      qty_total: string
      opened_at: string
      closed_at: string | null
      trading_date: string
      outcome: "win" | "loss" | "scratch" | null
      net_return_bps: string | null
      exit_reason: string | null
      opening_signal_id: string | null
      entry_catalyst: string | null
      entry_news_id: string | null
      learned_at: string | null
      no_evidence_reason: string | null
    })[]
    next_cursor: string | null
  }
  'prices': {
    items: ({
      symbol: string
      timeframe: "1m" | "2m" | "3m" | "5m" | "10m" | "15m" | "30m" | "1h" | "2h" | "4h" | "1d" | "1w"
      ts: string
      ends_at: string
      open: string
      high: string
      low: string
      close: string
      volume: string
      atr_14: string | null
      sma_20: string | null
      revision: number
      recorded_at: string
    })[]
    next_cursor: string | null
  }
  'signals': {
    items: ({
      signal_id: string
      account_id: string
      symbol: string
      signal_type: "BUY" | "SELL" | "HOLD"
      intent: "entry" | "exit" | "none"
      confidence: number
      status: "pending" | "executed" | "expired" | "cancelled" | "rejected"
      reasons: (string)[]
      shares: string | null
      entry_price: string | null
      stop_price: string | null
      target_1: string | null
      target_2: string | null
      created_at: string
      expires_at: string
    })[]
    next_cursor: string | null
  }
  'signals/{signal_id}': {
    signal_id: string
    account_id: string
    symbol: string
    signal_type: "BUY" | "SELL" | "HOLD"
    intent: "entry" | "exit" | "none"
    confidence: number
    status: "pending" | "executed" | "expired" | "cancelled" | "rejected"
    reasons: (string)[]
    shares: string | null
    entry_price: string | null
    stop_price: string | null
    target_1: string | null
    target_2: string | null
    created_at: string
    expires_at: string
    status_reason: string | null
    filled_quantity: string
    fills: number
    catalyst_type: string | null
    catalyst_score: number | null
    news_ids: (string)[]
    patterns: ({
      pattern_type: string
      pattern_id: number | null
    })[]
    indicators: unknown
    risk_parameters: {
      intent: "entry" | "exit" | "none"
      size_tier: "full" | "half" | "quarter" | "none"
      max_position_pct: number
      shares: string | null
      shares_by_risk: string | null
      shares_by_size: string | null
      entry_price: string | null
      stop_price: string | null
      target_1: string | null
      target_2: string | null
      reward_risk: number | null
      atr: string | null
      atr_source: "client" | "stored" | null
      atr_timeframe: "1m" | "2m" | "3m" | "5m" | "10m" | "15m" | "30m" | "1h" | "2h" | "4h" | "1d" | "1w" | null
      equity: string | null
      missing: ("entry_price" | "atr" | "equity")[]
      checks: ({
        check: "confidence" | "price" | "levels" | "reward_risk" | "size" | "open_positions" | "symbol_position" | "day_loss" | "trades_today"
        passed: boolean | null
        detail: string
      })[]
    }
    market_state: "pre-market" | "regular" | "after-hours" | "closed" | "weekend"
    updated_at: string
  }
  'trades': {
    items: ({
      trade_id: string
      account_id: string
      execution_id: string | null
      order_id: string | null
      signal_id: string | null
      symbol: string
      side: "buy" | "sell"
      quantity: string
      order_type: "market" | "limit"
      fill_price: string
      fees: string
      fill_time: string
      entry_catalyst: string | null
      entry_news_id: string | null
      is_late: boolean
      positions: ({
        position_id: string
        effect: "open" | "close"
        quantity: string
        realized_pnl: string
        fees: string
        net_pnl: string
      })[]
    })[]
    next_cursor: string | null
  }
}
