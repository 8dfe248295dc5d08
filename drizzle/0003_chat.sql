CREATE TABLE "buttons" (
	"id" text PRIMARY KEY NOT NULL,
	"outbox_id" text,
	"line" text,
	"asker" text,
	"bound" boolean NOT NULL,
	"instead" boolean NOT NULL,
	"pressed_by" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "identities" (
	"platform" text NOT NULL,
	"scope" text NOT NULL,
	"user_id" text NOT NULL,
	"owner_id" text NOT NULL,
	"label" text DEFAULT '' NOT NULL,
	"used_at" timestamp with time zone DEFAULT now() NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "identities_platform_scope_user_id_pk" PRIMARY KEY("platform","scope","user_id")
);
--> statement-breakpoint
CREATE TABLE "installations" (
	"platform" text NOT NULL,
	"scope" text NOT NULL,
	"sealed" text,
	"cut_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "installations_platform_scope_pk" PRIMARY KEY("platform","scope")
);
--> statement-breakpoint
CREATE TABLE "mutes" (
	"owner_id" text NOT NULL,
	"kind" text NOT NULL,
	CONSTRAINT "mutes_owner_id_kind_pk" PRIMARY KEY("owner_id","kind")
);
--> statement-breakpoint
CREATE TABLE "notices" (
	"id" text PRIMARY KEY NOT NULL,
	"owner_id" text NOT NULL,
	"kind" text NOT NULL,
	"key" text NOT NULL,
	"text" text NOT NULL,
	"actions" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"told_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "outbox" (
	"id" text PRIMARY KEY NOT NULL,
	"platform" text NOT NULL,
	"key" text,
	"visitor" text,
	"address" text NOT NULL,
	"call" text,
	"letter" text,
	"place" jsonb,
	"status" text NOT NULL,
	"operation_id" text,
	"sends" integer DEFAULT 0 NOT NULL,
	"revision" integer DEFAULT 0 NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"next_at" timestamp with time zone DEFAULT now() NOT NULL,
	"holder" text,
	"lease_until" timestamp with time zone,
	"fence" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"sent_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "requests" (
	"id" text PRIMARY KEY NOT NULL,
	"owner_id" text,
	"thing" text NOT NULL,
	"lives" bigint,
	"why" text DEFAULT '' NOT NULL,
	"visitor" jsonb,
	"state" text DEFAULT 'open' NOT NULL,
	"decided_by" text,
	"decided_at" timestamp with time zone,
	"cards" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "identities" ADD CONSTRAINT "identities_owner_id_people_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."people"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "mutes" ADD CONSTRAINT "mutes_owner_id_people_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."people"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "notices" ADD CONSTRAINT "notices_owner_id_people_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."people"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "requests" ADD CONSTRAINT "requests_owner_id_people_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."people"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "buttons_expires" ON "buttons" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "buttons_outbox" ON "buttons" USING btree ("outbox_id");--> statement-breakpoint
CREATE INDEX "identities_owner" ON "identities" USING btree ("owner_id");--> statement-breakpoint
CREATE UNIQUE INDEX "notices_key" ON "notices" USING btree ("owner_id","key");--> statement-breakpoint
CREATE INDEX "notices_untold" ON "notices" USING btree ("created_at") WHERE "notices"."told_at" is null;--> statement-breakpoint
CREATE UNIQUE INDEX "outbox_key" ON "outbox" USING btree ("platform","key");--> statement-breakpoint
CREATE INDEX "outbox_due" ON "outbox" USING btree ("next_at") WHERE "outbox"."status" in ('called', 'owed');--> statement-breakpoint
CREATE INDEX "outbox_created" ON "outbox" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "requests_owner" ON "requests" USING btree ("owner_id");--> statement-breakpoint
CREATE INDEX "requests_open" ON "requests" USING btree ("created_at") WHERE "requests"."state" = 'open';