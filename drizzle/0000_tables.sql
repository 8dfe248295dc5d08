CREATE TABLE "audit" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	"actor_id" text,
	"actor" text,
	"as_name" text,
	"surface" text NOT NULL,
	"address" text,
	"fingerprint" text,
	"command" text NOT NULL,
	"target" text,
	"decision" text NOT NULL,
	"code" text,
	"operation_id" text,
	"request_id" text NOT NULL,
	"detail" text
);
--> statement-breakpoint
CREATE TABLE "calls" (
	"owner_id" text NOT NULL,
	"key" text NOT NULL,
	"digest" text NOT NULL,
	"operation_id" text,
	"reply" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "calls_owner_id_key_pk" PRIMARY KEY("owner_id","key")
);
--> statement-breakpoint
CREATE TABLE "containers" (
	"id" text PRIMARY KEY NOT NULL,
	"owner_id" text NOT NULL,
	"host_id" text NOT NULL,
	"name" text NOT NULL,
	"engine_id" text,
	"engine_name" text NOT NULL,
	"image_id" text,
	"image_engine_id" text NOT NULL,
	"image_ref" text NOT NULL,
	"state" text DEFAULT 'creating' NOT NULL,
	"desired" text DEFAULT 'running' NOT NULL,
	"memory" bigint NOT NULL,
	"cpus" integer NOT NULL,
	"pids" integer NOT NULL,
	"spec" jsonb NOT NULL,
	"ssh" boolean NOT NULL,
	"fingerprint" text NOT NULL,
	"host_key" text NOT NULL,
	"host_key_sealed" text NOT NULL,
	"exit_code" integer,
	"command_exit" integer,
	"trouble" text,
	"revivals" integer DEFAULT 0 NOT NULL,
	"revive_at" timestamp with time zone,
	"layer_bytes" bigint DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"started_at" timestamp with time zone,
	"finished_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "devices" (
	"name" text PRIMARY KEY NOT NULL,
	"path" text NOT NULL,
	"about" text DEFAULT '' NOT NULL
);
--> statement-breakpoint
CREATE TABLE "grants" (
	"owner_id" text NOT NULL,
	"thing" text NOT NULL,
	"expires_at" timestamp with time zone,
	"granted_by" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "grants_owner_id_thing_pk" PRIMARY KEY("owner_id","thing")
);
--> statement-breakpoint
CREATE TABLE "hosts" (
	"id" text PRIMARY KEY NOT NULL,
	"memory" bigint DEFAULT 0 NOT NULL,
	"reserve" bigint DEFAULT 0 NOT NULL,
	"cpus" integer DEFAULT 0 NOT NULL,
	"memory_used" bigint DEFAULT 0 NOT NULL,
	"cpus_used" integer DEFAULT 0 NOT NULL,
	"memory_cap" bigint DEFAULT 0 NOT NULL,
	"seen_at" timestamp with time zone,
	"reachable" boolean DEFAULT false NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "hosts_memory" CHECK ("hosts"."memory_used" between 0 and "hosts"."memory_cap")
);
--> statement-breakpoint
CREATE TABLE "images" (
	"id" text PRIMARY KEY NOT NULL,
	"owner_id" text,
	"host_id" text NOT NULL,
	"ref" text NOT NULL,
	"engine_id" text NOT NULL,
	"engine_ref" text NOT NULL,
	"size" bigint NOT NULL,
	"layers" integer NOT NULL,
	"ssh" boolean NOT NULL,
	"restricted" boolean DEFAULT false NOT NULL,
	"about" text DEFAULT '' NOT NULL,
	"source" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "keys" (
	"id" text PRIMARY KEY NOT NULL,
	"owner_id" text NOT NULL,
	"type" text NOT NULL,
	"blob" text NOT NULL,
	"fingerprint" text NOT NULL,
	"comment" text DEFAULT '' NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "leases" (
	"name" text PRIMARY KEY NOT NULL,
	"holder" text NOT NULL,
	"until" timestamp with time zone NOT NULL,
	"fence" integer DEFAULT 1 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "networks" (
	"owner_id" text NOT NULL,
	"host_id" text NOT NULL,
	"name" text NOT NULL,
	"bridge" text NOT NULL,
	"subnet" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "networks_owner_id_host_id_pk" PRIMARY KEY("owner_id","host_id")
);
--> statement-breakpoint
CREATE TABLE "operations" (
	"id" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"subject" text NOT NULL,
	"owner_id" text,
	"actor_id" text,
	"actor_name" text,
	"as_name" text,
	"surface" text NOT NULL,
	"command" text NOT NULL,
	"target" text,
	"request_id" text NOT NULL,
	"input" jsonb NOT NULL,
	"state" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"step" integer DEFAULT 0 NOT NULL,
	"status" text DEFAULT 'open' NOT NULL,
	"progress" text,
	"error" jsonb,
	"reply" jsonb,
	"attempts" integer DEFAULT 0 NOT NULL,
	"next_at" timestamp with time zone DEFAULT now() NOT NULL,
	"holder" text,
	"lease_until" timestamp with time zone,
	"fence" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"finished_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "people" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"role" text DEFAULT 'member' NOT NULL,
	"state" text DEFAULT 'active' NOT NULL,
	"quota" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "ports" (
	"host_id" text NOT NULL,
	"proto" text NOT NULL,
	"host_port" integer NOT NULL,
	"container_id" text,
	"owner_id" text,
	"container_port" integer,
	"purpose" text NOT NULL,
	"held_until" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "ports_host_id_proto_host_port_pk" PRIMARY KEY("host_id","proto","host_port"),
	CONSTRAINT "ports_range" CHECK ("ports"."host_port" between 1 and 65535)
);
--> statement-breakpoint
CREATE TABLE "seccomps" (
	"name" text PRIMARY KEY NOT NULL,
	"json" text NOT NULL,
	"about" text DEFAULT '' NOT NULL
);
--> statement-breakpoint
CREATE TABLE "site" (
	"key" text PRIMARY KEY NOT NULL,
	"value" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "tokens" (
	"id" text PRIMARY KEY NOT NULL,
	"owner_id" text NOT NULL,
	"hash" text NOT NULL,
	"label" text NOT NULL,
	"commands" jsonb,
	"containers" jsonb,
	"expires_at" timestamp with time zone NOT NULL,
	"last_used_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "usage" (
	"owner_id" text PRIMARY KEY NOT NULL,
	"containers" integer DEFAULT 0 NOT NULL,
	"running" integer DEFAULT 0 NOT NULL,
	"memory" bigint DEFAULT 0 NOT NULL,
	"cpus" integer DEFAULT 0 NOT NULL,
	"pids" integer DEFAULT 0 NOT NULL,
	"images" integer DEFAULT 0 NOT NULL,
	"ports" integer DEFAULT 0 NOT NULL,
	"containers_cap" integer DEFAULT 0 NOT NULL,
	"running_cap" integer DEFAULT 0 NOT NULL,
	"memory_cap" bigint DEFAULT 0 NOT NULL,
	"cpus_cap" integer DEFAULT 0 NOT NULL,
	"pids_cap" integer DEFAULT 0 NOT NULL,
	"images_cap" integer DEFAULT 0 NOT NULL,
	"ports_cap" integer DEFAULT 0 NOT NULL,
	"disk" bigint DEFAULT 0 NOT NULL,
	"disk_at" timestamp with time zone,
	CONSTRAINT "usage_containers" CHECK ("usage"."containers" between 0 and "usage"."containers_cap"),
	CONSTRAINT "usage_running" CHECK ("usage"."running" between 0 and "usage"."running_cap"),
	CONSTRAINT "usage_memory" CHECK ("usage"."memory" between 0 and "usage"."memory_cap"),
	CONSTRAINT "usage_cpus" CHECK ("usage"."cpus" between 0 and "usage"."cpus_cap"),
	CONSTRAINT "usage_pids" CHECK ("usage"."pids" between 0 and "usage"."pids_cap"),
	CONSTRAINT "usage_images" CHECK ("usage"."images" between 0 and "usage"."images_cap"),
	CONSTRAINT "usage_ports" CHECK ("usage"."ports" between 0 and "usage"."ports_cap")
);
--> statement-breakpoint
ALTER TABLE "containers" ADD CONSTRAINT "containers_owner_id_people_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."people"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "containers" ADD CONSTRAINT "containers_host_id_hosts_id_fk" FOREIGN KEY ("host_id") REFERENCES "public"."hosts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "containers" ADD CONSTRAINT "containers_image_id_images_id_fk" FOREIGN KEY ("image_id") REFERENCES "public"."images"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "grants" ADD CONSTRAINT "grants_owner_id_people_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."people"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "images" ADD CONSTRAINT "images_owner_id_people_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."people"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "images" ADD CONSTRAINT "images_host_id_hosts_id_fk" FOREIGN KEY ("host_id") REFERENCES "public"."hosts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "keys" ADD CONSTRAINT "keys_owner_id_people_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."people"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "networks" ADD CONSTRAINT "networks_owner_id_people_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."people"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "networks" ADD CONSTRAINT "networks_host_id_hosts_id_fk" FOREIGN KEY ("host_id") REFERENCES "public"."hosts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ports" ADD CONSTRAINT "ports_host_id_hosts_id_fk" FOREIGN KEY ("host_id") REFERENCES "public"."hosts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ports" ADD CONSTRAINT "ports_container_id_containers_id_fk" FOREIGN KEY ("container_id") REFERENCES "public"."containers"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ports" ADD CONSTRAINT "ports_owner_id_people_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."people"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "tokens" ADD CONSTRAINT "tokens_owner_id_people_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."people"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "usage" ADD CONSTRAINT "usage_owner_id_people_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."people"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "audit_at" ON "audit" USING btree ("at");--> statement-breakpoint
CREATE INDEX "audit_actor" ON "audit" USING btree ("actor","at");--> statement-breakpoint
CREATE INDEX "audit_as" ON "audit" USING btree ("as_name","at");--> statement-breakpoint
CREATE INDEX "calls_created" ON "calls" USING btree ("created_at");--> statement-breakpoint
CREATE UNIQUE INDEX "containers_name" ON "containers" USING btree ("owner_id","name");--> statement-breakpoint
CREATE UNIQUE INDEX "containers_engine_id" ON "containers" USING btree ("engine_id");--> statement-breakpoint
CREATE UNIQUE INDEX "containers_engine_name" ON "containers" USING btree ("engine_name");--> statement-breakpoint
CREATE UNIQUE INDEX "images_ref" ON "images" USING btree (coalesce("owner_id", ''),"host_id","ref");--> statement-breakpoint
CREATE UNIQUE INDEX "images_engine_ref" ON "images" USING btree ("engine_ref");--> statement-breakpoint
CREATE UNIQUE INDEX "keys_fingerprint" ON "keys" USING btree ("fingerprint");--> statement-breakpoint
CREATE INDEX "keys_owner" ON "keys" USING btree ("owner_id");--> statement-breakpoint
CREATE UNIQUE INDEX "networks_subnet" ON "networks" USING btree ("host_id","subnet");--> statement-breakpoint
CREATE UNIQUE INDEX "networks_bridge" ON "networks" USING btree ("host_id","bridge");--> statement-breakpoint
CREATE UNIQUE INDEX "operations_subject" ON "operations" USING btree ("subject") WHERE "operations"."status" in ('open', 'undoing');--> statement-breakpoint
CREATE INDEX "operations_open" ON "operations" USING btree ("next_at") WHERE "operations"."status" in ('open', 'undoing');--> statement-breakpoint
CREATE INDEX "operations_owner" ON "operations" USING btree ("owner_id","created_at");--> statement-breakpoint
CREATE UNIQUE INDEX "people_name" ON "people" USING btree ("name");--> statement-breakpoint
CREATE INDEX "ports_container" ON "ports" USING btree ("container_id");--> statement-breakpoint
CREATE UNIQUE INDEX "tokens_hash" ON "tokens" USING btree ("hash");--> statement-breakpoint
CREATE UNIQUE INDEX "tokens_label" ON "tokens" USING btree ("owner_id","label");