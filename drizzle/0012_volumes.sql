CREATE TABLE "volumes" (
	"id" text PRIMARY KEY NOT NULL,
	"owner_id" text NOT NULL,
	"host_id" text NOT NULL,
	"name" text NOT NULL,
	"leaving" boolean DEFAULT false NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "volumes" ADD CONSTRAINT "volumes_owner_id_people_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."people"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "volumes" ADD CONSTRAINT "volumes_host_id_hosts_id_fk" FOREIGN KEY ("host_id") REFERENCES "public"."hosts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "volumes_name" ON "volumes" USING btree ("owner_id","name");